// SPDX-License-Identifier: Apache-2.0
// Attention in tiles with an online softmax (Milakov & Gimelshein 2018): forward.
#pragma once

#include "megalith/kernels/attention_tiles.h"

namespace megalith::detail {

/// One call of forward. All queries that read a head of keys and values multiply the same ones, which are packed for that
/// once: tile by tile, in the order in which they are read.
template <class S>
class TiledForward {
 public:
  /// From this many (sequence, head of keys) pairs for each thread on, a task is a whole pair.
  static constexpr Index kManyHeads = 4;

  TiledForward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums)
      : ctx_(ctx), in_(in), o_(o), log_sums_(log_sums), kernel_(tile_kernel(ctx, in)), scale_(S(in.shape.score_scale())) {}

  void run() const {
    const Index key_heads = in_.B * in_.shape.kv_heads, group = in_.shape.group();
    const Index tiles = tiles_of(in_.Tq, kQueryTile);
    if (key_heads >= kManyHeads * ctx_.threads()) {  // what a thread packs stays in its caches
      ctx_.parallel_for(key_heads, [&](Index bk, Arena& arena) {
        Frame frame(arena);
        S* const packed = frame.take<S>(head_size());
        pack(bk, packed);
        for (Index bh = bk * group; bh < (bk + 1) * group; ++bh)
          for (Index tile = 0; tile < tiles; ++tile) attend(bh, tile * kQueryTile, packed, arena);
      });
      return;
    }
    Frame frame(ctx_.scratch());
    S* const packed = frame.take<S>(key_heads * head_size());
    ctx_.parallel_for(key_heads, [&](Index bk, Arena&) { pack(bk, packed + bk * head_size()); });
    ctx_.parallel_for(key_heads * group * tiles, [&](Index task, Arena& arena) {
      // The last queries of a head see the most keys: long tasks come first.
      const Index bh = task / tiles, tile = tiles - 1 - task % tiles;
      attend(bh, tile * kQueryTile, packed + bh / group * head_size(), arena);
    });
  }

 private:
  Index longest() const { return std::min(kKeyTile, in_.Tk); }
  Index keys_size() const { return kernel_.right_size(in_.shape.key_width, longest()); }
  Index tile_size() const { return keys_size() + kernel_.right_size(longest(), in_.shape.value_width); }
  Index head_size() const { return tiles_of(in_.Tk, kKeyTile) * tile_size(); }

  void pack(Index bk, S* packed) const {
    const Index b = bk / in_.shape.kv_heads, kh = bk % in_.shape.kv_heads;
    for (Index kj = 0; kj < in_.Tk; kj += kKeyTile, packed += tile_size()) {
      const Index nk = std::min(kKeyTile, in_.Tk - kj);
      kernel_.right(key_rows(in_, b, kh, kj, nk).transpose(), packed);
      kernel_.right(value_rows(in_, b, kh, kj, nk), packed + keys_size());
    }
  }

  /// Queries [qi, qi + kQueryTile) of a head.
  void attend(Index bh, Index qi, const S* packed, Arena& arena) const {
    const Index b = bh / in_.shape.heads, h = bh % in_.shape.heads, kh = in_.shape.key_head(h);
    const Index nq = std::min(kQueryTile, in_.Tq - qi), value_width = in_.shape.value_width;
    const auto out = [&](Index i) { return o_ + in_.out(b, h, i); };
    Frame frame(arena);
    S* const scores = frame.take<S>(kQueryTile * kScoreStride);
    S* const top = frame.take<S>(kQueryTile);   // largest score of a row so far
    S* const sums = frame.take<S>(kQueryTile);  // sum of exp(score - top) so far; 0: nothing seen
    for (Index i = qi; i < qi + nq; ++i) {
      sums[i - qi] = S(0);
      row_map(out(i), value_width).setConstant(S(0));
    }
    const PackedLeft<S> queries = kernel_.left(query_rows(in_, b, h, qi, nq), frame);
    S* const left = frame.take<S>(kernel_.left_size(kQueryTile, kKeyTile));
    const Index first_key = in_.first_key(qi) / kKeyTile * kKeyTile;
    for (Index kj = first_key; kj < in_.end_key(qi + nq - 1); kj += kKeyTile) {
      const Index nk = std::min(kKeyTile, in_.Tk - kj);
      const S *const keys_at = packed + kj / kKeyTile * tile_size(), *const values_at = keys_at + keys_size(),
                     *const next = keys_at + tile_size();
      // What the product after reads, fetched meanwhile: these values, then the keys after.
      const std::span<const S> next_values{values_at, next};
      const std::span<const S> next_keys{next, kj + kKeyTile < in_.Tk ? next + keys_size() : next};
      const PackedRight<S> keys = kernel_.packed_right(key_rows(in_, b, kh, kj, nk).transpose(), keys_at);
      const PackedRight<S> values = kernel_.packed_right(value_rows(in_, b, kh, kj, nk), values_at);
      for_each_score_tile(in_, qi, nq, kj, [&](const ScoreTile<S>& tile) {
        // P = exp(scale Q K^T - top), O += P V.
        const Mat<S> p(scores, tile.rows(), tile.nk, kScoreStride);
        const Mat<S> o(out(tile.begin), tile.rows(), value_width, in_.shape.out_channels());
        kernel_.gemm(queries.rows(tile.begin - qi, tile.rows()), keys.first_cols(tile.nk), p, Into::overwrite, next_values);
        for (Index i = tile.begin; i < tile.end; ++i)
          exponentiate(tile, i, scores + (i - tile.begin) * kScoreStride, top[i - qi], sums[i - qi], out(i));
        kernel_.gemm(kernel_.left(p, left), values.rows(0, tile.nk), o, Into::add, next_keys);
      });
    }
    for (Index i = qi; i < qi + nq; ++i) {
      row_map(out(i), value_width) *= S(1) / sums[i - qi];
      if (log_sums_ != nullptr) log_sums_[bh * in_.Tq + i] = top[i - qi] + math::log(sums[i - qi]);
    }
  }

  /// Scores of query i become exp(score - top), 0 where it does not see the key. What was summed so far was relative to the
  /// old top.
  void exponentiate(const ScoreTile<S>& tile, Index i, S* row, S& top, S& sum, S* out) const {
    using std::exp;
    const Index first = tile.first(i), last = tile.last(i);
    auto seen = row_map(row + first, last - first).array();
    const S tile_top = math::max(seen) * scale_;
    if (sum == S(0)) {
      top = tile_top;
    } else if (tile_top > top) {
      const S shrink = exp(top - tile_top);
      sum *= shrink;
      row_map(out, in_.shape.value_width) *= shrink;
      top = tile_top;
    }
    seen = math::exp(seen * scale_ - top);
    sum += math::sum(seen);
    clear_outside(row, first, last, tile.nk);
  }

  const Context& ctx_;
  const AttentionInput<S>& in_;
  S *const o_, *const log_sums_;
  const TileKernel<S> kernel_;
  const S scale_;
};

template <class S>
void attention_tiles_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  TiledForward<S>(ctx, in, o, log_sums).run();
}

}  // namespace megalith::detail

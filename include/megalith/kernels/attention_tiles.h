// SPDX-License-Identifier: Apache-2.0
// Attention in tiles with an online softmax: the scores exist one tile at a time.
#pragma once

#include <numeric>

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/tile_gemm.h"

namespace megalith::detail {

/// Rows of scores this long are worth vector loops.
inline constexpr Index kQueryTile = 256, kKeyTile = 128;
/// Where the diagonal crosses a tile, its rows are taken so many at a time, with the keys that they see.
inline constexpr Index kDiagonalStep = 64;
/// Beyond the scores of a row stands this much room: rows at a distance of a power of two fall into the same lines of the
/// cache.
inline constexpr Index kScoreStride = kKeyTile + 16;

/// Rows [begin, begin + count) of one head as a factor of a product.
template <class S>
Operand<S> query_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.query(b, h, begin), count, in.D, in.q_stride};
}
template <class S>
Operand<S> key_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.key(b, h, begin), count, in.D, in.kv_stride};
}
template <class S>
Operand<S> value_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.value(b, h, begin), count, in.D, in.kv_stride};
}

/// Scores of queries [begin, end) for keys [kj, kj + nk): query i sees the columns [first(i), last(i)).
template <class S>
struct ScoreTile {
  const AttentionInput<S>& in;
  Index kj, nk, begin, end;

  Index rows() const { return end - begin; }
  Index first(Index i) const { return std::max<Index>(0, in.first_key(i) - kj); }
  Index last(Index i) const { return std::min(nk, in.end_key(i) - kj); }
};

/// Calls f(tile) for the scores of keys [kj, kj + kKeyTile) that some of the queries [qi, qi + nq) see: in steps of
/// kDiagonalStep queries with the keys that they see, rounded up to a multiple of that, and in one tile from there on where
/// these are all keys.
template <class S, class F>
void for_each_score_tile(const AttentionInput<S>& in, Index qi, Index nq, Index kj, F&& f) {
  const Index nk = std::min(kKeyTile, in.Tk - kj);
  const Index before = in.Tk - in.Tq;  // keys before the first query's own
  const Index end = in.window > 0 ? std::min(qi + nq, kj + nk - 1 - before + in.window) : qi + nq;
  for (Index begin = std::max(qi, kj - before), next; begin < end; begin = next) {
    const auto keys_of = [&](Index i) {
      return std::min(nk, (in.end_key(i) - kj + kDiagonalStep - 1) / kDiagonalStep * kDiagonalStep);
    };
    next = keys_of(begin) == nk ? end : std::min(end, begin + kDiagonalStep);
    f(ScoreTile<S>{in, kj, keys_of(next - 1), begin, next});
  }
}

/// What multiplies the tiles of one call. Its factors begin where tiles of queries do, which keys before the first query may
/// shift. Scores of few keys are not worth laying out, which a kernel that takes factors anywhere does without.
template <class S>
TileKernel<S> tile_kernel(const Context& ctx, const AttentionInput<S>& in) {
  constexpr Index kFewKeys = 512;
  return {ctx, in.Tk < kFewKeys ? 1 : std::gcd(kDiagonalStep, in.Tk - in.Tq)};
}

/// Numbers [0, first) and [last, size) of a row become 0.
template <class S>
void clear_outside(S* row, Index first, Index last, Index size) {
  std::fill(row, row + first, S(0));
  std::fill(row + last, row + size, S(0));
}

/// One call of forward. All queries of a head multiply the same keys and values, which are laid out for that once: tile by
/// tile, as they are read.
template <class S>
class TiledForward {
 public:
  TiledForward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums)
      : ctx_(ctx), in_(in), o_(o), log_sums_(log_sums), kernel_(tile_kernel(ctx, in)) {}

  void run() const {
    const Index heads = in_.B * in_.H, tiles = (in_.Tq + kQueryTile - 1) / kQueryTile;
    if (heads >= kManyHeads * ctx_.threads()) {  // what a thread lays out stays near it
      ctx_.parallel_for(heads, [&](Index bh, Arena& arena) {
        Frame frame(arena);
        S* const packed = frame.take<S>(head_size());
        lay_out(bh, packed);
        for (Index tile = 0; tile < tiles; ++tile) attend(bh, tile * kQueryTile, packed, arena);
      });
      return;
    }
    Frame frame(ctx_.scratch());
    S* const packed = frame.take<S>(heads * head_size());
    ctx_.parallel_for(heads, [&](Index bh, Arena&) { lay_out(bh, packed + bh * head_size()); });
    ctx_.parallel_for(heads * tiles, [&](Index task, Arena& arena) {
      // The last queries of a head see the most keys: long tasks come first.
      const Index bh = task / tiles, tile = tiles - 1 - task % tiles;
      attend(bh, tile * kQueryTile, packed + bh * head_size(), arena);
    });
  }

 private:
  /// So many (sequence, head) pairs for each thread are shared out whole.
  static constexpr Index kManyHeads = 4;

  Index longest() const { return std::min(kKeyTile, in_.Tk); }
  Index keys_size() const { return kernel_.right_size(in_.D, longest()); }
  Index tile_size() const { return keys_size() + kernel_.right_size(longest(), in_.D); }
  Index head_size() const { return (in_.Tk + kKeyTile - 1) / kKeyTile * tile_size(); }

  void lay_out(Index bh, S* packed) const {
    for (Index kj = 0; kj < in_.Tk; kj += kKeyTile, packed += tile_size()) {
      const Index nk = std::min(kKeyTile, in_.Tk - kj);
      kernel_.right(key_rows(in_, bh / in_.H, bh % in_.H, kj, nk).transpose(), packed);
      kernel_.right(value_rows(in_, bh / in_.H, bh % in_.H, kj, nk), packed + keys_size());
    }
  }

  /// Queries [qi, qi + kQueryTile) of a head.
  void attend(Index bh, Index qi, const S* packed, Arena& arena) const {
    using std::log;
    const Index b = bh / in_.H, h = bh % in_.H, nq = std::min(kQueryTile, in_.Tq - qi);
    Frame frame(arena);
    S* const scores = frame.take<S>(kQueryTile * kScoreStride);
    S* const top = frame.take<S>(kQueryTile);   // largest score of a row so far
    S* const sums = frame.take<S>(kQueryTile);  // sum of exp(score - top) so far; 0: nothing seen
    for (Index i = qi; i < qi + nq; ++i) {
      sums[i - qi] = S(0);
      row_map(out(bh, i), in_.D).setConstant(S(0));
    }
    const PackedLeft<S> queries = kernel_.left(query_rows(in_, b, h, qi, nq), frame);
    S* const left = frame.take<S>(kernel_.left_size(kQueryTile, kKeyTile));
    const Index first_key = in_.first_key(qi) / kKeyTile * kKeyTile;
    for (Index kj = first_key; kj < in_.end_key(qi + nq - 1); kj += kKeyTile) {
      const Index nk = std::min(kKeyTile, in_.Tk - kj);
      const S *const keys_at = packed + kj / kKeyTile * tile_size(), *const values_at = keys_at + keys_size(),
                     *const next = keys_at + tile_size();
      const PackedRight<S> keys = kernel_.packed_right(key_rows(in_, b, h, kj, nk).transpose(), keys_at);
      const PackedRight<S> values = kernel_.packed_right(value_rows(in_, b, h, kj, nk), values_at);
      for_each_score_tile(in_, qi, nq, kj, [&](const ScoreTile<S>& tile) {
        const Mat<S> p(scores, tile.rows(), tile.nk, kScoreStride);
        kernel_.gemm(queries.rows(tile.begin - qi, tile.rows()), keys.first_cols(tile.nk), p, Into::overwrite,
                        {values_at, next});
        for (Index i = tile.begin; i < tile.end; ++i)
          exponentiate(tile, i, scores + (i - tile.begin) * kScoreStride, top[i - qi], sums[i - qi], out(bh, i));
        kernel_.gemm(kernel_.left(p, left), values.rows(0, tile.nk),
                        {out(bh, tile.begin), tile.rows(), in_.D, in_.H * in_.D}, Into::add,
                        {next, kj + kKeyTile < in_.Tk ? next + keys_size() : next});
      });
    }
    for (Index i = qi; i < qi + nq; ++i) {
      row_map(out(bh, i), in_.D) *= S(1) / sums[i - qi];
      if (log_sums_ != nullptr) log_sums_[bh * in_.Tq + i] = top[i - qi] + log(sums[i - qi]);
    }
  }

  /// Scores of query i become exp(score - top), 0 where it does not see the key. What was summed so far was relative to the
  /// old top.
  void exponentiate(const ScoreTile<S>& tile, Index i, S* row, S& top, S& sum, S* out) const {
    using std::exp;
    const Index first = tile.first(i), last = tile.last(i);
    auto seen = row_map(row + first, last - first).array();
    const S tile_top = seen.maxCoeff() * in_.scale();
    if (sum == S(0)) {
      top = tile_top;
    } else if (tile_top > top) {
      const S shrink = exp(top - tile_top);
      sum *= shrink;
      row_map(out, in_.D) *= shrink;
      top = tile_top;
    }
    seen = (seen * in_.scale() - top).exp();
    sum += seen.sum();
    clear_outside(row, first, last, tile.nk);
  }

  S* out(Index bh, Index i) const { return o_ + ((bh / in_.H * in_.Tq + i) * in_.H + bh % in_.H) * in_.D; }

  const Context& ctx_;
  const AttentionInput<S>& in_;
  S *const o_, *const log_sums_;
  const TileKernel<S> kernel_;
};

template <class S>
void attention_tiles_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  TiledForward<S>(ctx, in, o, log_sums).run();
}

/// Where the rows of a tile of queries, and those of the gradient of its output, lie packed as left and as right factors.
template <class S>
struct QueryTile {
  S* begin;
  Index left_size, right_size;

  S* left_q() const { return begin; }
  S* left_d() const { return begin + left_size; }
  S* right_d() const { return begin + 2 * left_size; }
  S* right_q() const { return begin + 2 * left_size + right_size; }
  S* end() const { return begin + 2 * left_size + 2 * right_size; }
  QueryTile after(Index tiles) const { return {begin + tiles * (end() - begin), left_size, right_size}; }
};

/// One (sequence, head) by one thread: its dk, dv and dq are summed in one order.
template <class S>
void attention_tiles_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                              const AttentionGradient<S>& out) {
  const Index width = in.H * in.D;
  const TileKernel<S> kernel = tile_kernel(ctx, in);
  ctx.parallel_for(in.B * in.H, [&](Index bh, Arena& arena) {
    const Index b = bh / in.H, h = bh % in.H;
    Frame frame(arena);
    S* const probabilities = frame.take<S>(kQueryTile * kScoreStride);
    S* const dscores = frame.take<S>(kQueryTile * kScoreStride);
    S* const mean_dp = frame.take<S>(in.Tq);
    const auto offset = [&](Index i) { return (b * in.Tq + i) * width + h * in.D; };
    // What is read of a tile of queries, laid out in the order in which it is.
    const Index longest = std::min(kQueryTile, in.Tq);
    const Index left_size = kernel.left_size(longest, in.D), right_size = kernel.right_size(longest, in.D);
    const Index query_tiles = (in.Tq + kQueryTile - 1) / kQueryTile;
    const QueryTile<S> first_tile{frame.take<S>(query_tiles * 2 * (left_size + right_size)), left_size, right_size};
    const auto d_rows = [&](Index begin, Index count) { return Operand<S>(d_o + offset(begin), count, in.D, width); };
    for (Index qi = 0; qi < in.Tq; qi += kQueryTile) {
      const QueryTile<S> tile = first_tile.after(qi / kQueryTile);
      const Index nq = std::min(kQueryTile, in.Tq - qi);
      kernel.left(query_rows(in, b, h, qi, nq), tile.left_q());
      kernel.left(d_rows(qi, nq), tile.left_d());
      kernel.right(d_rows(qi, nq), tile.right_d());
      kernel.right(query_rows(in, b, h, qi, nq), tile.right_q());
    }
    S* const left = frame.take<S>(std::max(kernel.left_size(kQueryTile, kKeyTile), kernel.left_size(kKeyTile, kQueryTile)));
    for (Index i = 0; i < in.Tq; ++i) {
      mean_dp[i] = row_map(d_o + offset(i), in.D).cwiseProduct(row_map(o + offset(i), in.D)).sum();
      row_map(out.query(in, b, h, i), in.D).setConstant(S(0));
    }
    for (Index kj = 0; kj < in.Tk; kj += kKeyTile) {
      const Index nk = std::min(kKeyTile, in.Tk - kj);
      const Mat<S> dk(out.key(in, b, h, kj), nk, in.D, in.kv_stride), dv(out.value(in, b, h, kj), nk, in.D, in.kv_stride);
      Frame key_frame(arena);
      const PackedRight<S> keys = kernel.right(key_rows(in, b, h, kj, nk), key_frame);
      const PackedRight<S> keys_t = kernel.right(key_rows(in, b, h, kj, nk).transpose(), key_frame);
      const PackedRight<S> values_t = kernel.right(value_rows(in, b, h, kj, nk).transpose(), key_frame);
      // The first query that sees key kj stands at its own position; before the queries begin there are only keys.
      const Index first_query = std::max<Index>(0, kj - (in.Tk - in.Tq)) / kQueryTile * kQueryTile;
      for (Index qi = first_query; qi < in.Tq && in.first_key(qi) < kj + nk; qi += kQueryTile) {
        const Index nq = std::min(kQueryTile, in.Tq - qi);
        const QueryTile<S> packed = first_tile.after(qi / kQueryTile);
        const S* const next = qi + kQueryTile < in.Tq ? packed.after(1).left_d() : packed.end();
        const Operand<S> q = query_rows(in, b, h, qi, nq), d = d_rows(qi, nq);
        for_each_score_tile(in, qi, nq, kj, [&](const ScoreTile<S>& tile) {
          const Index rows = tile.rows(), seen = tile.nk, skipped = tile.begin - qi;
          const Mat<S> p(probabilities, rows, seen, kScoreStride), ds(dscores, rows, seen, kScoreStride);
          // forward was: O = P V, P = softmax(scale Q K^T). So dV += P^T dO, dP = dO V^T, dS = P (dP - dO O) scale,
          // dQ += dS K, dK += dS^T Q.
          kernel.gemm(kernel.packed_left(q, packed.left_q()).rows(skipped, rows), keys_t.first_cols(seen), p,
                         Into::overwrite, {packed.left_d(), packed.right_d()});
          kernel.gemm(kernel.packed_left(d, packed.left_d()).rows(skipped, rows), values_t.first_cols(seen), ds,
                         Into::overwrite, {packed.right_d(), packed.right_q()});
          for (Index i = tile.begin; i < tile.end; ++i) {
            S* const p_row = probabilities + (i - tile.begin) * kScoreStride;
            S* const ds_row = dscores + (i - tile.begin) * kScoreStride;
            const Index first = tile.first(i), last = tile.last(i);
            auto pr = row_map(p_row + first, last - first).array();
            auto dr = row_map(ds_row + first, last - first).array();
            pr = (pr * in.scale() - log_sums[bh * in.Tq + i]).exp();
            dr = pr * (dr - mean_dp[i]) * in.scale();
            clear_outside(p_row, first, last, seen);
            clear_outside(ds_row, first, last, seen);
          }
          const Mat<S> dq(out.query(in, b, h, tile.begin), rows, in.D, in.q_stride);
          kernel.gemm(kernel.left(transposed<S>(p), left), kernel.packed_right(d, packed.right_d()).rows(skipped, rows),
                         dv.block(0, 0, seen, in.D), Into::add, {packed.right_q(), packed.end()});
          kernel.gemm(kernel.left(ds, left), keys.rows(0, seen), dq, Into::add);
          kernel.gemm(kernel.left(transposed<S>(ds), left), kernel.packed_right(q, packed.right_q()).rows(skipped, rows),
                         dk.block(0, 0, seen, in.D), Into::add, {packed.end(), next});
        });
      }
    }
  });
}

}  // namespace megalith::detail

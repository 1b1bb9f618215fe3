// SPDX-License-Identifier: Apache-2.0
// Attention in tiles with an online softmax: the scores exist one tile at a time.
#pragma once

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {

/// Rows of scores this long are worth vector loops.
inline constexpr Index kQueryTile = 256, kKeyTile = 128;
/// Beyond the scores of a row stands this much room: rows at a distance of a power of two fall into the same lines of the
/// cache.
inline constexpr Index kScoreStride = kKeyTile + 16;

/// Rows [begin, begin + count) of one head as a factor of a product.
template <class S>
Factor<S> query_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.query(b, h, begin), count, in.D, in.q_stride};
}
template <class S>
Factor<S> key_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.key(b, h, begin), count, in.D, in.kv_stride};
}
template <class S>
Factor<S> value_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.value(b, h, begin), count, in.D, in.kv_stride};
}

/// One tile of scores: keys [kj, kj + nk), and of the queries [qi, qi + nq) those that see any of them, [begin, end). Query
/// i sees the tile's columns [first(i), last(i)).
template <class S>
struct ScoreTile {
  const AttentionInput<S>& in;
  Index kj, nk, begin, end;

  ScoreTile(const AttentionInput<S>& input, Index qi, Index nq, Index key)
      : in(input), kj(key), nk(std::min(kKeyTile, input.Tk - key)) {
    const Index before = in.Tk - in.Tq;  // keys before the first query's own
    begin = std::max(qi, kj - before);
    end = in.window > 0 ? std::min(qi + nq, kj + nk - 1 - before + in.window) : qi + nq;
  }
  Index rows() const { return end - begin; }
  Index first(Index i) const { return std::max<Index>(0, in.first_key(i) - kj); }
  Index last(Index i) const { return std::min(nk, in.end_key(i) - kj); }
};

/// Numbers [0, first) and [last, size) of a row become 0.
template <class S>
void clear_outside(S* row, Index first, Index last, Index size) {
  std::fill(row, row + first, S(0));
  std::fill(row + last, row + size, S(0));
}

template <class S>
void attention_tiles_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  const Index tiles = (in.Tq + kQueryTile - 1) / kQueryTile;
  const Index width = in.H * in.D;
  // All queries of a head multiply the same keys and values, which are laid out for that once.
  const Index keys_size = PackedFactor<S>::size(in.D, in.Tk), packed_size = keys_size + PackedFactor<S>::size(in.Tk, in.D);
  Frame packed_frame(ctx.scratch());
  S* const packed = packed_frame.take<S>(in.B * in.H * packed_size);
  const auto keys_of = [&](Index b, Index h) { return key_rows(in, b, h, 0, in.Tk).transpose(); };
  const auto values_of = [&](Index b, Index h) { return value_rows(in, b, h, 0, in.Tk); };
  ctx.parallel_for(in.B * in.H, [&](Index bh, Lane&) {
    PackedFactor<S>::pack(keys_of(bh / in.H, bh % in.H), packed + bh * packed_size);
    PackedFactor<S>::pack(values_of(bh / in.H, bh % in.H), packed + bh * packed_size + keys_size);
  });
  ctx.parallel_for(in.B * in.H * tiles, [&](Index task, Lane& lane) {
    using std::exp, std::log;
    // The last queries see the most keys: long tasks come first.
    const Index bh = task % (in.B * in.H), b = bh / in.H, h = bh % in.H;
    const Index qi = (tiles - 1 - task / (in.B * in.H)) * kQueryTile, nq = std::min(kQueryTile, in.Tq - qi);
    Frame frame(lane);
    S* const scores = frame.take<S>(kQueryTile * kScoreStride);
    S* const top = frame.take<S>(kQueryTile);   // largest score of a row so far
    S* const sums = frame.take<S>(kQueryTile);  // sum of exp(score - top) so far; 0: nothing seen
    const auto out = [&](Index i) { return o + (b * in.Tq + i) * width + h * in.D; };
    for (Index i = qi; i < qi + nq; ++i) {
      sums[i - qi] = S(0);
      row_map(out(i), in.D).setConstant(S(0));
    }
    const PackedFactor<S> all_keys(keys_of(b, h), packed + bh * packed_size);
    const PackedFactor<S> all_values(values_of(b, h), packed + bh * packed_size + keys_size);
    const Index first_key = in.first_key(qi) / kKeyTile * kKeyTile;
    for (Index kj = first_key; kj < in.end_key(qi + nq - 1); kj += kKeyTile) {
      const ScoreTile<S> tile(in, qi, nq, kj);
      const Mat<S> p(scores, tile.rows(), tile.nk, kScoreStride);
      tile_product<S>(query_rows(in, b, h, tile.begin, tile.rows()), all_keys.columns(kj, tile.nk), p, Into::overwrite);
      for (Index i = tile.begin; i < tile.end; ++i) {
        S* const row = scores + (i - tile.begin) * kScoreStride;
        const Index first = tile.first(i), last = tile.last(i), r = i - qi;
        auto seen = row_map(row + first, last - first).array();
        const S tile_top = seen.maxCoeff() * in.scale();
        if (sums[r] == S(0)) {
          top[r] = tile_top;
        } else if (tile_top > top[r]) {  // what was summed so far was relative to the old top
          const S shrink = exp(top[r] - tile_top);
          sums[r] *= shrink;
          row_map(out(i), in.D) *= shrink;
          top[r] = tile_top;
        }
        seen = (seen * in.scale() - top[r]).exp();
        sums[r] += seen.sum();
        clear_outside(row, first, last, tile.nk);
      }
      tile_product<S>(Factor<S>(p), all_values.rows(kj, tile.nk), {out(tile.begin), tile.rows(), in.D, width}, Into::add);
    }
    for (Index i = qi; i < qi + nq; ++i) {
      row_map(out(i), in.D) *= S(1) / sums[i - qi];
      if (log_sums != nullptr) log_sums[bh * in.Tq + i] = top[i - qi] + log(sums[i - qi]);
    }
  });
}

/// One (sequence, head) by one thread: its dk, dv and dq are summed in one order.
template <class S>
void attention_tiles_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                              const AttentionGradient<S>& out) {
  const Index width = in.H * in.D;
  ctx.parallel_for(in.B * in.H, [&](Index bh, Lane& lane) {
    const Index b = bh / in.H, h = bh % in.H;
    Frame frame(lane);
    S* const probabilities = frame.take<S>(kQueryTile * kScoreStride);
    S* const dscores = frame.take<S>(kQueryTile * kScoreStride);
    S* const mean_dp = frame.take<S>(in.Tq);
    const auto offset = [&](Index i) { return (b * in.Tq + i) * width + h * in.D; };
    const PackedFactor<S> all_queries(query_rows(in, b, h, 0, in.Tq), frame);
    const PackedFactor<S> all_d_rows(Factor<S>(d_o + offset(0), in.Tq, in.D, width), frame);
    for (Index i = 0; i < in.Tq; ++i) {
      mean_dp[i] = row_map(d_o + offset(i), in.D).cwiseProduct(row_map(o + offset(i), in.D)).sum();
      row_map(out.query(in, b, h, i), in.D).setConstant(S(0));
    }
    for (Index kj = 0; kj < in.Tk; kj += kKeyTile) {
      const Index nk = std::min(kKeyTile, in.Tk - kj);
      const Mat<S> dk(out.key(in, b, h, kj), nk, in.D, in.kv_stride), dv(out.value(in, b, h, kj), nk, in.D, in.kv_stride);
      Frame key_frame(lane);
      const PackedFactor<S> keys(key_rows(in, b, h, kj, nk), key_frame);
      const PackedFactor<S> keys_t(key_rows(in, b, h, kj, nk).transpose(), key_frame);
      const PackedFactor<S> values_t(value_rows(in, b, h, kj, nk).transpose(), key_frame);
      // The first query that sees key kj stands at its own position; before the queries begin there are only keys.
      const Index first_query = std::max<Index>(0, kj - (in.Tk - in.Tq)) / kQueryTile * kQueryTile;
      for (Index qi = first_query; qi < in.Tq && in.first_key(qi) < kj + nk; qi += kQueryTile) {
        const ScoreTile<S> tile(in, qi, std::min(kQueryTile, in.Tq - qi), kj);
        const Index rows = tile.rows();
        const Factor<S> q = query_rows(in, b, h, tile.begin, rows);
        const Factor<S> d_rows(d_o + offset(tile.begin), rows, in.D, width);
        const Mat<S> p(probabilities, rows, nk, kScoreStride), ds(dscores, rows, nk, kScoreStride);
        // forward was: O = P V, P = softmax(scale Q K^T). So dV += P^T dO, dP = dO V^T, dS = P (dP - dO O) scale,
        // dQ += dS K, dK += dS^T Q.
        tile_product<S>(q, keys_t, p, Into::overwrite);
        tile_product<S>(d_rows, values_t, ds, Into::overwrite);
        for (Index i = tile.begin; i < tile.end; ++i) {
          S* const p_row = probabilities + (i - tile.begin) * kScoreStride;
          S* const ds_row = dscores + (i - tile.begin) * kScoreStride;
          const Index first = tile.first(i), last = tile.last(i);
          auto pr = row_map(p_row + first, last - first).array();
          auto dr = row_map(ds_row + first, last - first).array();
          pr = (pr * in.scale() - log_sums[bh * in.Tq + i]).exp();
          dr = pr * (dr - mean_dp[i]) * in.scale();
          clear_outside(p_row, first, last, nk);
          clear_outside(ds_row, first, last, nk);
        }
        tile_product<S>(transposed<S>(p), all_d_rows.rows(tile.begin, rows), dv, Into::add);
        tile_product<S>(ds, keys, {out.query(in, b, h, tile.begin), rows, in.D, in.q_stride}, Into::add);
        tile_product<S>(transposed<S>(ds), all_queries.rows(tile.begin, rows), dk, Into::add);
      }
    }
  });
}

}  // namespace megalith::detail

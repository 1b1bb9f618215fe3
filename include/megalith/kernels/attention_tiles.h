// SPDX-License-Identifier: Apache-2.0
// Attention in square tiles with an online softmax: the scores exist one tile at a time.
#pragma once

#include <limits>

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {

inline constexpr Index kAttentionTile = 64;  // queries, and keys, of a tile

/// Rows [begin, begin + count) of one head as a factor of a product.
template <class S>
Factor<S> query_tile(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.query(b, h, begin), count, in.D, in.q_stride};
}
template <class S>
Factor<S> key_tile(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.key(b, h, begin), count, in.D, in.kv_stride};
}
template <class S>
Factor<S> value_tile(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.value(b, h, begin), count, in.D, in.kv_stride};
}

/// One tile of scores: queries [qi, qi + nq), keys [kj, kj + nk). The keys that query r of the tile sees are columns
/// [first(r), end(r)).
template <class S>
struct ScoreTile {
  const AttentionInput<S>& in;
  Index qi, nq, kj, nk;

  Index first(Index r) const { return std::clamp<Index>(in.first_key(qi + r) - kj, 0, nk); }
  Index end(Index r) const { return std::clamp<Index>(in.end_key(qi + r) - kj, 0, nk); }
};

template <class S>
void attention_tiles_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  const Index tiles = (in.Tq + kAttentionTile - 1) / kAttentionTile;
  const Index width = in.H * in.D;
  ctx.parallel_for(in.B * in.H * tiles, [&](Index task, Lane& lane) {
    using std::exp, std::log;
    const Index bh = task / tiles, b = bh / in.H, h = bh % in.H;
    const Index qi = task % tiles * kAttentionTile, nq = std::min(kAttentionTile, in.Tq - qi);
    Frame frame(lane);
    S* const scores = frame.take<S>(kAttentionTile * kAttentionTile);
    S* const top = frame.take<S>(kAttentionTile);   // largest score of a row so far
    S* const sums = frame.take<S>(kAttentionTile);  // sum of exp(score - top) so far
    bool* const seen = frame.take<bool>(kAttentionTile);
    S* const out = o + (b * in.Tq + qi) * width + h * in.D;
    for (Index r = 0; r < nq; ++r) {
      sums[r] = S(0);
      seen[r] = false;
      row_map(out + r * width, in.D).setConstant(S(0));
    }
    const Index first_tile = in.first_key(qi) / kAttentionTile * kAttentionTile;
    for (Index kj = first_tile; kj < in.end_key(qi + nq - 1); kj += kAttentionTile) {
      const Index nk = std::min(kAttentionTile, in.Tk - kj);
      const ScoreTile<S> tile{in, qi, nq, kj, nk};
      tile_product<S>(query_tile(in, b, h, qi, nq), key_tile(in, b, h, kj, nk).transpose(), {scores, nq, nk, nk},
                      Into::overwrite);
      for (Index r = 0; r < nq; ++r) {
        auto row = row_map(scores + r * nk, nk);
        const Index first = tile.first(r), count = tile.end(r) - first;
        if (count <= 0) {
          row.setConstant(S(0));
          continue;
        }
        auto p = row.segment(first, count).array();
        p *= in.scale();
        const S tile_top = p.maxCoeff();
        if (!seen[r] || tile_top > top[r]) {
          if (seen[r]) {  // what was summed so far was relative to the old top
            const S shrink = exp(top[r] - tile_top);
            sums[r] *= shrink;
            row_map(out + r * width, in.D) *= shrink;
          }
          top[r] = tile_top;
          seen[r] = true;
        }
        p = (p - top[r]).exp();
        sums[r] += p.sum();
        row.head(first).setConstant(S(0));
        row.tail(nk - first - count).setConstant(S(0));
      }
      tile_product<S>(Factor<S>(scores, nq, nk, nk), value_tile(in, b, h, kj, nk), {out, nq, in.D, width}, Into::add);
    }
    for (Index r = 0; r < nq; ++r) {
      row_map(out + r * width, in.D) *= S(1) / sums[r];
      if (log_sums != nullptr) log_sums[bh * in.Tq + qi + r] = top[r] + log(sums[r]);
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
    S* const probabilities = frame.take<S>(kAttentionTile * kAttentionTile);
    S* const dscores = frame.take<S>(kAttentionTile * kAttentionTile);
    S* const mean_dp = frame.take<S>(in.Tq);
    for (Index i = 0; i < in.Tq; ++i) {
      const Index offset = (b * in.Tq + i) * width + h * in.D;
      mean_dp[i] = row_map(d_o + offset, in.D).cwiseProduct(row_map(o + offset, in.D)).sum();
      row_map(out.query(in, b, h, i), in.D).setConstant(S(0));
    }
    for (Index kj = 0; kj < in.Tk; kj += kAttentionTile) {
      const Index nk = std::min(kAttentionTile, in.Tk - kj);
      const Mat<S> dk(out.key(in, b, h, kj), nk, in.D, in.kv_stride), dv(out.value(in, b, h, kj), nk, in.D, in.kv_stride);
      // The first query that sees key kj stands at its own position; before the queries begin there are only keys.
      const Index first_query = std::max<Index>(0, kj - (in.Tk - in.Tq)) / kAttentionTile * kAttentionTile;
      for (Index qi = first_query; qi < in.Tq && in.first_key(qi) < kj + nk; qi += kAttentionTile) {
        const Index nq = std::min(kAttentionTile, in.Tq - qi);
        const ScoreTile<S> tile{in, qi, nq, kj, nk};
        const Factor<S> q = query_tile(in, b, h, qi, nq), k = key_tile(in, b, h, kj, nk);
        const Factor<S> doi(d_o + (b * in.Tq + qi) * width + h * in.D, nq, in.D, width);
        const Mat<S> p(probabilities, nq, nk, nk), ds(dscores, nq, nk, nk);
        // forward was: O = P V, P = softmax(scale Q K^T). So dV += P^T dO, dP = dO V^T, dS = P (dP - dO O) scale,
        // dQ += dS K, dK += dS^T Q.
        tile_product<S>(q, k.transpose(), p, Into::overwrite);
        tile_product<S>(doi, value_tile(in, b, h, kj, nk).transpose(), ds, Into::overwrite);
        for (Index r = 0; r < nq; ++r) {
          auto p_row = row_map(probabilities + r * nk, nk);
          auto ds_row = row_map(dscores + r * nk, nk);
          const Index first = tile.first(r), count = std::max<Index>(0, tile.end(r) - first);
          auto pr = p_row.segment(first, count).array();
          auto dr = ds_row.segment(first, count).array();
          pr = (pr * in.scale() - log_sums[bh * in.Tq + qi + r]).exp();
          dr = pr * (dr - mean_dp[qi + r]) * in.scale();
          for (auto* row : {&p_row, &ds_row}) {
            row->head(first).setConstant(S(0));
            row->tail(nk - first - count).setConstant(S(0));
          }
        }
        tile_product<S>(transposed<S>(p), doi, dv, Into::add);
        tile_product<S>(ds, k, {out.query(in, b, h, qi), nq, in.D, in.q_stride}, Into::add);
        tile_product<S>(transposed<S>(ds), q, dk, Into::add);
      }
    }
  });
}

}  // namespace megalith::detail

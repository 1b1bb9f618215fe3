// SPDX-License-Identifier: Apache-2.0
// Attention in tiles: backward. The probabilities are computed again from the logs of the sums that forward left.
#pragma once

#include "megalith/kernels/attention_tiles.h"

namespace megalith::detail {

/// One call of backward. One (sequence, head of keys) by one thread: its dk and dv, and the dq of all heads of queries that
/// read it, are summed in one order.
template <class S>
class TiledBackward {
 public:
  TiledBackward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                const AttentionGradient<S>& out)
      : ctx_(ctx),
        in_(in),
        o_(o),
        log_sums_(log_sums),
        d_o_(d_o),
        out_(out),
        kernel_(tile_kernel(ctx, in)),
        scale_(S(in.shape.score_scale())) {}

  void run() const {
    ctx_.parallel_for(in_.B * in_.shape.kv_heads, [&](Index bk, Arena& arena) {
      const Index b = bk / in_.shape.kv_heads, kh = bk % in_.shape.kv_heads, group = in_.shape.group();
      Frame frame(arena);
      const Scratch scratch = take_scratch(frame);
      for (Index g = 0; g < group; ++g) prepare(scratch, g, b, kh * group + g);
      for (Index kj = 0; kj < in_.Tk; kj += kKeyTile) {
        Frame key_frame(arena);
        const KeyTile keys = pack_keys(b, kh, kj, key_frame);
        for (Index g = 0; g < group; ++g) visit_queries(scratch, g, b, kh * group + g, keys);
      }
    });
  }

 private:
  /// Where the rows of a tile of queries, and those of the gradient of its output, are packed as left and as right operands:
  /// in the order in which they are read.
  struct PackedQueries {
    S* begin;
    Index left_q_size, left_d_size, right_d_size, right_q_size;

    S* left_q() const { return begin; }
    S* left_d() const { return left_q() + left_q_size; }
    S* right_d() const { return left_d() + left_d_size; }
    S* right_q() const { return right_d() + right_d_size; }
    S* end() const { return begin + size(); }
    Index size() const { return left_q_size + left_d_size + right_d_size + right_q_size; }
    PackedQueries after(Index tiles) const {
      return {begin + tiles * size(), left_q_size, left_d_size, right_d_size, right_q_size};
    }
  };
  struct Scratch {
    S *p, *ds;              // (kQueryTile, kScoreStride): probabilities, gradient of the scores
    S* mean_dp;             // (group, Tq): do_i o_i
    PackedQueries queries;  // the first tile of the first head; the others follow
    S* left;                // p or ds as a left operand
  };
  /// The keys [kj, kj + nk) and their values as operands, and their gradients.
  struct KeyTile {
    Index kj, nk;
    PackedRight<S> k, k_t, v_t;
    Mat<S> dk, dv;
  };
  /// What each product fetches for the one that comes after.
  struct Prefetch {
    std::span<const S> by_p, by_dp, by_dv, by_dk;
  };
  /// The queries from qi on and the gradient of their output as operands, numbers of each row, and the gradient of queries.
  struct QueryTile {
    Index qi;
    PackedLeft<S> left_q, left_d;
    PackedRight<S> right_d, right_q;
    const S *mean_dp, *log_sums;
    Mat<S> dq;
    Prefetch prefetch;
  };

  Scratch take_scratch(Frame& frame) const {
    const Index group = in_.shape.group(), tiles = group * tiles_of(in_.Tq, kQueryTile), nq = std::min(kQueryTile, in_.Tq);
    const Index key_width = in_.shape.key_width, value_width = in_.shape.value_width;
    Scratch s;
    s.p = frame.take<S>(kQueryTile * kScoreStride);
    s.ds = frame.take<S>(kQueryTile * kScoreStride);
    s.mean_dp = frame.take<S>(group * in_.Tq);
    s.queries = {nullptr, kernel_.left_size(nq, key_width), kernel_.left_size(nq, value_width),
                 kernel_.right_size(nq, value_width), kernel_.right_size(nq, key_width)};
    s.queries.begin = frame.take<S>(tiles * s.queries.size());
    s.left = frame.take<S>(std::max(kernel_.left_size(kQueryTile, kKeyTile), kernel_.left_size(kKeyTile, kQueryTile)));
    return s;
  }

  Operand<S> d_rows(Index b, Index h, Index begin, Index count) const {
    return {d_o_ + in_.out(b, h, begin), count, in_.shape.value_width, in_.shape.out_channels()};
  }
  PackedQueries packed_queries(const Scratch& s, Index g, Index qi) const {
    return s.queries.after(g * tiles_of(in_.Tq, kQueryTile) + qi / kQueryTile);
  }

  /// Packs all queries of head h, the g-th of its group; dq = 0, mean_dp_i = do_i o_i.
  void prepare(const Scratch& s, Index g, Index b, Index h) const {
    for (Index qi = 0; qi < in_.Tq; qi += kQueryTile) {
      const PackedQueries at = packed_queries(s, g, qi);
      const Index nq = std::min(kQueryTile, in_.Tq - qi);
      kernel_.left(query_rows(in_, b, h, qi, nq), at.left_q());
      kernel_.left(d_rows(b, h, qi, nq), at.left_d());
      kernel_.right(d_rows(b, h, qi, nq), at.right_d());
      kernel_.right(query_rows(in_, b, h, qi, nq), at.right_q());
    }
    for (Index i = 0; i < in_.Tq; ++i) {
      const auto doi = row_map(d_o_ + in_.out(b, h, i), in_.shape.value_width);
      s.mean_dp[g * in_.Tq + i] = math::dot(doi, row_map(o_ + in_.out(b, h, i), in_.shape.value_width));
      row_map(out_.query(in_, b, h, i), in_.shape.key_width).setConstant(S(0));
    }
  }

  KeyTile pack_keys(Index b, Index kh, Index kj, Frame& frame) const {
    const Index nk = std::min(kKeyTile, in_.Tk - kj);
    const Operand<S> k = key_rows(in_, b, kh, kj, nk), v = value_rows(in_, b, kh, kj, nk);
    const PackedRight<S> right_k = kernel_.right(k, frame), right_k_t = kernel_.right(k.transpose(), frame);
    return {kj,
            nk,
            right_k,
            right_k_t,
            kernel_.right(v.transpose(), frame),
            {out_.key(in_, b, kh, kj), nk, in_.shape.key_width, in_.k_stride},
            {out_.value(in_, b, kh, kj), nk, in_.shape.value_width, in_.v_stride}};
  }

  /// All queries of head h, the g-th of its group, that see some of the keys.
  void visit_queries(const Scratch& s, Index g, Index b, Index h, const KeyTile& keys) const {
    // The first query that sees key kj stands at its own position; before the queries begin there are only keys.
    const Index first_query = std::max<Index>(0, keys.kj - (in_.Tk - in_.Tq)) / kQueryTile * kQueryTile;
    for (Index qi = first_query; qi < in_.Tq && in_.first_key(qi) < keys.kj + keys.nk; qi += kQueryTile) {
      const QueryTile queries = query_tile(s, g, b, h, qi);
      for_each_score_tile(in_, qi, queries.dq.rows, keys.kj,
                          [&](const ScoreTile<S>& tile) { multiply(s, keys, queries, tile); });
    }
  }

  QueryTile query_tile(const Scratch& s, Index g, Index b, Index h, Index qi) const {
    const PackedQueries at = packed_queries(s, g, qi);
    const Index nq = std::min(kQueryTile, in_.Tq - qi);
    const S* const after = qi + kQueryTile < in_.Tq ? at.after(1).left_d() : at.end();
    const Operand<S> q = query_rows(in_, b, h, qi, nq), d = d_rows(b, h, qi, nq);
    return {.qi = qi,
            .left_q = kernel_.packed_left(q, at.left_q()),
            .left_d = kernel_.packed_left(d, at.left_d()),
            .right_d = kernel_.packed_right(d, at.right_d()),
            .right_q = kernel_.packed_right(q, at.right_q()),
            .mean_dp = s.mean_dp + g * in_.Tq + qi,
            .log_sums = log_sums_ + (b * in_.shape.heads + h) * in_.Tq + qi,
            .dq = {out_.query(in_, b, h, qi), nq, in_.shape.key_width, in_.q_stride},
            .prefetch = {.by_p = {at.left_d(), at.right_d()},
                         .by_dp = {at.right_d(), at.right_q()},
                         .by_dv = {at.right_q(), at.end()},
                         .by_dk = {at.end(), after}}};
  }

  void multiply(const Scratch& s, const KeyTile& keys, const QueryTile& queries, const ScoreTile<S>& tile) const {
    const Index rows = tile.rows(), seen = tile.nk, skipped = tile.begin - queries.qi;
    const PackedLeft<S> q = queries.left_q.rows(skipped, rows), d = queries.left_d.rows(skipped, rows);
    const PackedRight<S> right_q = queries.right_q.rows(skipped, rows), right_d = queries.right_d.rows(skipped, rows);
    const PackedRight<S> k = keys.k.rows(0, seen), k_t = keys.k_t.first_cols(seen), v_t = keys.v_t.first_cols(seen);
    const Mat<S> p(s.p, rows, seen, kScoreStride), ds(s.ds, rows, seen, kScoreStride);
    const Mat<S> dq = queries.dq.block(skipped, 0, rows, in_.shape.key_width);
    const Mat<S> dk = keys.dk.block(0, 0, seen, in_.shape.key_width);
    const Mat<S> dv = keys.dv.block(0, 0, seen, in_.shape.value_width);
    const auto left = [&](const Operand<S>& a) { return kernel_.left(a, s.left); };
    const Prefetch& next = queries.prefetch;
    // forward was: O = P V, P = softmax(scale Q K^T). So dV += P^T dO, dP = dO V^T, dS = P (dP - dO O) scale, dQ += dS K,
    // dK += dS^T Q.
    kernel_.gemm(q, k_t, p, Into::overwrite, next.by_p);
    kernel_.gemm(d, v_t, ds, Into::overwrite, next.by_dp);  // dP, until the next line
    differentiate_softmax(s, queries, tile);
    kernel_.gemm(left(transposed<S>(p)), right_d, dv, Into::add, next.by_dv);
    kernel_.gemm(left(ds), k, dq, Into::add);
    kernel_.gemm(left(transposed<S>(ds)), right_q, dk, Into::add, next.by_dk);
  }

  /// Scores become P, 0 where a query does not see the key, and dP becomes dS = P (dP - dO O) scale.
  void differentiate_softmax(const Scratch& s, const QueryTile& queries, const ScoreTile<S>& tile) const {
    for (Index i = tile.begin; i < tile.end; ++i) {
      S* const p_row = s.p + (i - tile.begin) * kScoreStride;
      S* const ds_row = s.ds + (i - tile.begin) * kScoreStride;
      const Index first = tile.first(i), last = tile.last(i);
      auto p = row_map(p_row + first, last - first).array();
      auto ds = row_map(ds_row + first, last - first).array();
      p = math::exp(p * scale_ - queries.log_sums[i - queries.qi]);
      ds = p * (ds - queries.mean_dp[i - queries.qi]) * scale_;
      clear_outside(p_row, first, last, tile.nk);
      clear_outside(ds_row, first, last, tile.nk);
    }
  }

  const Context& ctx_;
  const AttentionInput<S>& in_;
  const S *const o_, *const log_sums_, *const d_o_;
  const AttentionGradient<S>& out_;
  const TileKernel<S> kernel_;
  const S scale_;
};

template <class S>
void attention_tiles_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                              const AttentionGradient<S>& out) {
  TiledBackward<S>(ctx, in, o, log_sums, d_o, out).run();
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Attention one query at a time: exactly the pairs that are needed, no padding. For the short sequences inside a patch, and
// for decoding.
#pragma once

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {

inline constexpr Index kHeadsPerTask = 16;  // (sequence, head) pairs of short sequences that one task handles

/// Scores of query i against its keys, scaled, into s.
template <class S>
void row_scores(const AttentionInput<S>& in, Index b, Index h, Index i, RowMap<S> s) {
  const auto q = row_map(in.query(b, h, i), in.D);
  {
    [[maybe_unused]] const GemmScope<S> scope;
    for (Index j = 0; j < s.size(); ++j) s(j) = q.cwiseProduct(row_map(in.key(b, h, in.first_key(i) + j), in.D)).sum();
  }
  s *= in.scale();
}

template <class S>
void attention_rows_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  ctx.parallel_ranges(in.B * in.H, in.Tq * in.Tk <= 512 ? kHeadsPerTask : 1, [&](Index begin, Index end, Arena& arena) {
    using std::log;
    Frame frame(arena);
    S* const scores = frame.take<S>(in.Tk);
    for (Index bh = begin; bh < end; ++bh) {
      const Index b = bh / in.H, h = bh % in.H;
      for (Index i = 0; i < in.Tq; ++i) {
        auto p = row_map(scores, in.end_key(i) - in.first_key(i));
        row_scores(in, b, h, i, p);
        const S top = p.maxCoeff();
        p.array() = (p.array() - top).exp();
        const S sum = p.sum();
        auto out = row_map(o + (b * in.Tq + i) * in.H * in.D + h * in.D, in.D);
        out.setConstant(S(0));
        {
          [[maybe_unused]] const GemmScope<S> scope;
          for (Index j = 0; j < p.size(); ++j) out += row_map(in.value(b, h, in.first_key(i) + j), in.D) * p(j);
        }
        out *= S(1) / sum;
        if (log_sums != nullptr) log_sums[bh * in.Tq + i] = top + log(sum);
      }
    }
  });
}

template <class S>
void attention_rows_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                             const AttentionGradient<S>& out) {
  const S scale = in.scale();
  ctx.parallel_ranges(in.B * in.H, in.Tq * in.Tk <= 512 ? kHeadsPerTask : 1, [&](Index begin, Index end, Arena& arena) {
    Frame frame(arena);
    S* const scores = frame.take<S>(in.Tk);
    for (Index bh = begin; bh < end; ++bh) {
      const Index b = bh / in.H, h = bh % in.H;
      for (Index i = 0; i < in.Tq; ++i) {
        const Index first = in.first_key(i);
        auto p = row_map(scores, in.end_key(i) - first);
        row_scores(in, b, h, i, p);
        p.array() = (p.array() - log_sums[bh * in.Tq + i]).exp();
        const Index offset = (b * in.Tq + i) * in.H * in.D + h * in.D;
        const auto doi = row_map(d_o + offset, in.D);
        const auto q = row_map(in.query(b, h, i), in.D);
        auto dq = row_map(out.query(in, b, h, i), in.D);
        // forward was: o_i = sum_j p_j v_j, p = softmax(s), s_j = scale q_i k_j. So dv_j += p_j do_i, dp_j = do_i v_j,
        // ds_j = p_j (dp_j - do_i o_i), dq_i = scale sum_j ds_j k_j, dk_j += scale ds_j q_i.
        const S mean_dp = doi.cwiseProduct(row_map(o + offset, in.D)).sum();
        dq.setConstant(S(0));
        for (Index j = 0; j < p.size(); ++j) {
          const S dp = doi.cwiseProduct(row_map(in.value(b, h, first + j), in.D)).sum();
          const S ds = p(j) * (dp - mean_dp) * scale;
          row_map(out.value(in, b, h, first + j), in.D) += doi * p(j);
          dq += row_map(in.key(b, h, first + j), in.D) * ds;
          row_map(out.key(in, b, h, first + j), in.D) += q * ds;
        }
      }
    }
  });
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Linear attention: forward, row by row or in chunks of rows.
#pragma once

#include "megalith/kernels/linear_attention_call.h"

namespace megalith::detail {

template <class S>
class LinearForward : LinearAttentionCall<S> {
  using Call = LinearAttentionCall<S>;
  using Call::ctx_, Call::in_, Call::kernel_, Call::Dk, Call::Dv;

 public:
  LinearForward(const Context& ctx, const LinearAttentionInput<S>& in, HeadRows<S> o, const RunningSums<S>& sums)
      : Call(ctx, in), o_(o), sums_(sums) {}

  void run() const {
    const Index heads = in_.B * in_.heads;
    ctx_.parallel_ranges(heads, in_.T <= kFewRows ? kHeadsPerTask : 1, [&](Index begin, Index end, Arena& arena) {
      for (Index bh = begin; bh < end; ++bh) {
        Frame frame(arena);
        const RunningSums<S> sums = Call::sums_of(sums_, bh, frame);
        if (in_.T <= kFewRows) by_rows(bh / in_.heads * in_.T, bh % in_.heads, sums);
        else in_chunks(bh / in_.heads * in_.T, bh % in_.heads, sums, arena);
      }
    });
  }

 private:
  /// Head h of the sequence whose first row is `first`.
  void by_rows(Index first, Index h, const RunningSums<S>& sums) const {
    for (Index i = first; i < first + in_.T; ++i) {
      const auto v = in_.v.row(i, h);
      const S *const q = in_.turned_q.at(i, h), *const k = in_.turned_k.at(i, h);
      auto o = o_.row(i, h);
      o.setConstant(S(0));
      {
        [[maybe_unused]] const GemmScope<S> scope;
        for (Index d = 0; d < Dk(); ++d) {
          auto s = row_map(sums.s + d * Dv(), Dv());
          s += v * k[d];
          o += s * q[d];
        }
      }
      o *= S(1) / Call::denominator(i, h, sums.z);
    }
  }

  void in_chunks(Index first, Index h, const RunningSums<S>& sums, Arena& arena) const {
    Frame frame(arena);
    S* const memory = frame.take<S>(kLinearChunk * kWeightStride);
    for (Index t = 0; t < in_.T; t += kLinearChunk) {
      Frame local(arena);
      const Index i = first + t, n = std::min(kLinearChunk, in_.T - t);
      const bool carried = sums_.open() || t > 0, goes_on = sums_.open() || t + n < in_.T;
      const Mat<S> weights(memory, n, n, kWeightStride), o = o_.rows(i, n, h);
      const Operand<S> q = in_.turned_q.rows(i, n, h), k = in_.turned_k.rows(i, n, h);
      const PackedRight<S> v = kernel_.right(in_.v.rows(i, n, h), local);
      // O = Q S + A V with A = Q K^T where the key stands before the query or with it; then S += K^T V.
      Call::masked_gemm(q, k, weights, local);
      if (carried) Call::gemm(q, Call::matrix(sums.s), o, Into::overwrite, local);
      kernel_.gemm(kernel_.left(weights, local), v, o, carried ? Into::add : Into::overwrite);
      if (goes_on) kernel_.gemm(kernel_.left(k.transpose(), local), v, {sums.s, Dk(), Dv(), Dv()}, Into::add);
      for (Index j = i; j < i + n; ++j) o_.row(j, h) *= S(1) / Call::denominator(j, h, sums.z);
    }
  }

  const HeadRows<S> o_;
  const RunningSums<S> sums_;
};

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Linear attention: backward, in chunks of rows. The running sums are run once more from the start, and their gradients from
// the end, so that nothing is kept of them.
#pragma once

#include "megalith/kernels/linear_attention_call.h"

namespace megalith::detail {

template <class S>
class LinearBackward : LinearAttentionCall<S> {
  using Call = LinearAttentionCall<S>;
  using Call::ctx_, Call::in_, Call::kernel_, Call::Dk, Call::Dv;

 public:
  LinearBackward(const Context& ctx, const LinearAttentionInput<S>& in, HeadRows<const S> o, HeadRows<const S> d_o,
                 const RunningSums<const S>& received, const RunningSums<S>& d_sums, const LinearAttentionGradient<S>& out)
      : Call(ctx, in), o_(o), d_o_(d_o), received_(received), d_sums_(d_sums), out_(out) {}

  void run() const {
    const Index heads = in_.B * in_.heads;
    ctx_.parallel_ranges(heads, in_.T <= kFewRows ? kHeadsPerTask : 1, [&](Index begin, Index end, Arena& arena) {
      for (Index bh = begin; bh < end; ++bh) {
        Frame frame(arena);
        const Head head = take_head(bh, frame);
        from_the_start(head, bh, arena);
        from_the_end(head, bh, arena);
      }
    });
  }

 private:
  /// Of one (sequence, head). forward was: o = n / d, n_i = turned_q_i S_i and d_i = q_i z_i.
  struct Head {
    Index first, h;  // row and head
    S *shares, *dd;  // (T): 1/d, and the gradient of d
    S *dn, *a, *da;  // of a chunk: gradients of n (n, Dv); weights and their gradients (n, n)
  };
  Head take_head(Index bh, Frame& frame) const {
    constexpr Index kWeights = kLinearChunk * kWeightStride;
    return {bh / in_.heads * in_.T,
            bh % in_.heads,
            frame.take<S>(in_.T),
            frame.take<S>(in_.T),
            frame.take<S>(kLinearChunk * Dv()),
            frame.take<S>(kWeights),
            frame.take<S>(kWeights)};
  }
  bool open() const { return d_sums_.open(); }
  /// What comes over the gradients of q and k that the denominators gave.
  Into after_denominators() const { return in_.turns() ? Into::overwrite : Into::add; }

  /// dn_i = do_i / d_i of rows [t, t + n).
  Mat<S> numerators(const Head& head, Index t, Index n) const {
    for (Index i = 0; i < n; ++i)
      row_map(head.dn + i * Dv(), Dv()) = d_o_.row(head.first + t + i, head.h) * head.shares[t + i];
    return {head.dn, n, Dv(), Dv()};
  }

  /// The sums as forward ran them. dd_i = -(do_i o_i) / d_i and dq_i = dd_i z_i; d turned_q_i = S_i dn_i, which is dA K with
  /// dA = dN V^T where the key stands before the query or with it, and dN S^T of the rows before the chunk.
  void from_the_start(const Head& head, Index bh, Arena& arena) const {
    Frame frame(arena);
    const RunningSums<S> sums = Call::zeros(frame);
    if (received_.s != nullptr) {
      std::copy_n(received_.s + bh * Dk() * Dv(), Dk() * Dv(), sums.s);
      std::copy_n(received_.z + bh * Dk(), Dk(), sums.z);
    }
    for (Index t = 0; t < in_.T; t += kLinearChunk) {
      Frame local(arena);
      const Index i = head.first + t, n = std::min(kLinearChunk, in_.T - t), h = head.h;
      for (Index j = i; j < i + n; ++j) {
        const S share = head.shares[j - head.first] = S(1) / Call::denominator(j, h, sums.z);
        const S dd = head.dd[j - head.first] = -math::dot(d_o_.row(j, h), o_.row(j, h)) * share;
        out_.dq.row(j, h) = row_map(sums.z, Dk()) * dd;
      }
      const Mat<S> dn = numerators(head, t, n), da(head.da, n, n, kWeightStride), dq = out_.d_turned_q.rows(i, n, h);
      const Operand<S> k = in_.turned_k.rows(i, n, h), v = in_.v.rows(i, n, h);
      Call::masked_gemm(dn, v, da, local);
      Call::gemm(da, k, dq, after_denominators(), local);
      if (received_.s != nullptr || t > 0) Call::gemm(dn, Call::matrix(sums.s).transpose(), dq, Into::add, local);
      if (t + n < in_.T) Call::gemm(k.transpose(), v, {sums.s, Dk(), Dv(), Dv()}, Into::add, local);
    }
  }

  /// Their gradients, run from the end: dS_i = dS_{i+1} + turned_q_i^T dn_i and dz_i = dz_{i+1} + dd_i q_i. dk_i = dz_i,
  /// d turned_k_i = dS_i v_i and dv_i = turned_k_i dS_i, which are dA^T Q and A^T dN within a chunk, and V dS^T and K dS of
  /// the rows after it.
  void from_the_end(const Head& head, Index bh, Arena& arena) const {
    Frame frame(arena);
    const RunningSums<S> d = Call::sums_of(d_sums_, bh, frame);
    for (Index t = (in_.T - 1) / kLinearChunk * kLinearChunk; t >= 0; t -= kLinearChunk) {
      Frame local(arena);
      const Index i = head.first + t, n = std::min(kLinearChunk, in_.T - t), h = head.h;
      for (Index j = i + n; j-- > i;) {
        row_map(d.z, Dk()) += in_.q.row(j, h) * head.dd[j - head.first];
        out_.dk.row(j, h) = row_map(d.z, Dk());
      }
      const Mat<S> a(head.a, n, n, kWeightStride), da(head.da, n, n, kWeightStride), dn = numerators(head, t, n);
      const Mat<S> dk = out_.d_turned_k.rows(i, n, h), dv = out_.dv.rows(i, n, h);
      const Operand<S> q = in_.turned_q.rows(i, n, h), k = in_.turned_k.rows(i, n, h), v = in_.v.rows(i, n, h);
      const PackedRight<S> right_dn = kernel_.right(dn, local);
      Call::masked_gemm(q, k, a, local);
      Call::masked_gemm(dn, v, da, local);
      Call::gemm(transposed<S>(da), q, dk, after_denominators(), local);
      kernel_.gemm(kernel_.left(transposed<S>(a), local), right_dn, dv, Into::overwrite);
      if (open() || t + n < in_.T) {
        Call::gemm(v, Call::matrix(d.s).transpose(), dk, Into::add, local);
        Call::gemm(k, Call::matrix(d.s), dv, Into::add, local);
      }
      if (open() || t > 0) kernel_.gemm(kernel_.left(q.transpose(), local), right_dn, {d.s, Dk(), Dv(), Dv()}, Into::add);
    }
  }

  const HeadRows<const S> o_, d_o_;
  const RunningSums<const S> received_;
  const RunningSums<S> d_sums_;
  const LinearAttentionGradient<S> out_;
};

}  // namespace megalith::detail

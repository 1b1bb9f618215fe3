// SPDX-License-Identifier: Apache-2.0
// Causal linear attention (Katharopoulos et al. 2020, "Transformers are RNNs", 3.3): y_i = q_i S_i / q_i z_i with the
// running sums S_i = S_{i-1} + k_i^T v_i and z_i = z_{i-1} + k_i. Row by row, as the equations stand, for decoding and for
// short sequences; else in chunks of rows, within which the weights q_i k_j exist as a small masked matrix, so that all but
// the denominators are products of matrices. One (sequence, head) by one thread, from its start to its end.
#pragma once

#include <algorithm>

#include "megalith/core/shape_only.h"
#include "megalith/kernels/linear_attention_input.h"
#include "megalith/kernels/math.h"
#include "megalith/kernels/tile_gemm.h"

namespace megalith {
namespace detail {

inline constexpr Index kLinearChunk = 64;
/// Room beyond the weights of a row: rows at a distance of a power of two would share few lines of L1.
inline constexpr Index kWeightStride = kLinearChunk + 16;
/// Up to as many rows forward goes row by row, some heads in a task.
inline constexpr Index kFewRows = 16, kHeadsPerTask = 16;

/// What the calls of linear attention share.
template <class S>
class LinearAttentionCall {
 protected:
  LinearAttentionCall(const Context& ctx, const LinearAttentionInput<S>& in) : ctx_(ctx), in_(in), kernel_(ctx, 1) {}

  Index Dk() const { return in_.key_width(); }
  Index Dv() const { return in_.value_width(); }
  Operand<S> matrix(const S* s) const { return {s, Dk(), Dv(), Dv()}; }

  /// The sums of (sequence, head) number bh; 0 in scratch where nobody keeps them.
  RunningSums<S> sums_of(const RunningSums<S>& all, Index bh, Frame& frame) const {
    if (all.open()) return {all.s + bh * Dk() * Dv(), all.z + bh * Dk()};
    return zeros(frame);
  }
  RunningSums<S> zeros(Frame& frame) const {
    const RunningSums<S> sums{frame.take<S>(Dk() * Dv()), frame.take<S>(Dk())};
    std::fill_n(sums.s, Dk() * Dv(), S(0));
    std::fill_n(sums.z, Dk(), S(0));
    return sums;
  }
  /// q_i z_i, after z got key i.
  S denominator(Index i, Index h, S* z) const {
    row_map(z, Dk()) += in_.k.row(i, h);
    [[maybe_unused]] const GemmScope<S> scope;
    return math::dot(in_.q.row(i, h), row_map(z, Dk()));
  }
  /// c = a b^T, 0 where the column stands after the row.
  void masked_gemm(const Operand<S>& a, const Operand<S>& b, const Mat<S>& c, Frame& frame) const {
    kernel_.gemm(kernel_.left(a, frame), kernel_.right(b.transpose(), frame), c, Into::overwrite);
    for (Index i = 0; i < c.rows; ++i) std::fill(c.data + i * c.stride + i + 1, c.data + i * c.stride + c.cols, S(0));
  }
  /// c = a b, or c += a b.
  void gemm(const Operand<S>& a, const Operand<S>& b, const Mat<S>& c, Into into, Frame& frame) const {
    kernel_.gemm(kernel_.left(a, frame), kernel_.right(b, frame), c, into);
  }

  const Context& ctx_;
  const LinearAttentionInput<S>& in_;
  const TileKernel<S> kernel_;
};

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

}  // namespace detail

/// o is (B*T, heads * Dv), without gaps. The sums are those of all rows before, and become those of these rows too.
template <class S>
void linear_attention_forward(const Context& ctx, const LinearAttentionInput<S>& in, S* o, const RunningSums<S>& sums) {
  const Index Dv = in.value_width();
  detail::LinearForward<S>(ctx, in, {o, in.heads * Dv, Dv}, sums).run();
}

/// Given do = dL/do: all gradients are written. `received` are the sums that forward began with, and d_sums, the gradient of
/// those that it left, becomes theirs.
template <class S>
void linear_attention_backward(const Context& ctx, const LinearAttentionInput<S>& in, const S* o, const S* d_o,
                               const RunningSums<const S>& received, const RunningSums<S>& d_sums,
                               const LinearAttentionGradient<S>& out) {
  const Index Dv = in.value_width();
  const HeadRows<const S> rows_o{o, in.heads * Dv, Dv}, rows_d{d_o, in.heads * Dv, Dv};
  detail::LinearBackward<S>(ctx, in, rows_o, rows_d, received, d_sums, out).run();
}

/// About how many numbers of scratch a call takes, on all threads together. Over ShapeOnly it tells of float.
template <class S>
double linear_attention_scratch(const LinearAttentionInput<S>& in, bool backward, int threads) {
  using namespace detail;
  using Number = std::conditional_t<std::is_same_v<S, ShapeOnly>, float, S>;
  const TileKernel<Number> kernel(Context(), 1);
  const Index Dk = in.key_width(), Dv = in.value_width(), n = std::min(kLinearChunk, in.T);
  const Index sums = Dk * Dv + Dk, weights = kLinearChunk * kWeightStride;
  const Index tasks = in.T <= kFewRows ? (in.B * in.heads + kHeadsPerTask - 1) / kHeadsPerTask : in.B * in.heads;
  const Index k = kernel.right_size(n, Dk), k_t = kernel.right_size(Dk, n), v = kernel.right_size(n, Dv),
              v_t = kernel.right_size(Dv, n), s = kernel.right_size(Dk, Dv), s_t = kernel.right_size(Dv, Dk);
  const Index forward = in.T <= kFewRows ? sums : sums + weights + v + k_t + s;
  const Index back = 2 * in.T + kLinearChunk * Dv + 2 * weights + sums + v + k_t + v_t + k + s_t + s;
  return static_cast<double>(std::min<Index>(threads, tasks)) * static_cast<double>(backward ? back : forward);
}

}  // namespace megalith

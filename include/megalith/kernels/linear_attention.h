// SPDX-License-Identifier: Apache-2.0
// Causal linear attention (Katharopoulos et al. 2020, "Transformers are RNNs", 3.3): y_i = q_i S_i / q_i z_i with the
// running sums S_i = S_{i-1} + k_i^T v_i and z_i = z_{i-1} + k_i. Row by row, as the equations stand, for decoding and for
// short sequences; else in chunks of rows, within which the weights q_i k_j exist as a small masked matrix, so that all but
// the denominators are products of matrices.
#pragma once

#include "megalith/core/shape_only.h"
#include "megalith/kernels/linear_attention_backward.h"
#include "megalith/kernels/linear_attention_forward.h"

namespace megalith {

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
              v_t = kernel.right_size(Dv, n);
  const bool one_chunk = in.T <= kLinearChunk;  // multiplies no sums, but for those of a state
  const Index s = one_chunk ? 0 : kernel.right_size(Dk, Dv), s_t = one_chunk ? 0 : kernel.right_size(Dv, Dk);
  const Index forward = in.T <= kFewRows ? sums : sums + weights + v + k_t + s;
  const Index back = 2 * in.T + kLinearChunk * Dv + 2 * weights + sums + v + k_t + v_t + k + s_t + s;
  return static_cast<double>(std::min<Index>(threads, tasks)) * static_cast<double>(backward ? back : forward);
}

}  // namespace megalith

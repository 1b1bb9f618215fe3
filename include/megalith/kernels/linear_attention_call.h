// SPDX-License-Identifier: Apache-2.0
// What forward and backward of linear attention share.
#pragma once

#include <algorithm>

#include "megalith/kernels/linear_attention_input.h"
#include "megalith/kernels/math.h"
#include "megalith/kernels/tile_gemm.h"

namespace megalith::detail {

inline constexpr Index kLinearChunk = 64;
/// Room beyond the weights of a row: rows at a distance of a power of two would share few lines of L1.
inline constexpr Index kWeightStride = kLinearChunk + 16;
/// Up to as many rows forward goes row by row, some heads in a task.
inline constexpr Index kFewRows = 16, kHeadsPerTask = 16;

/// One call. A (sequence, head) is computed by one thread, from its start to its end.
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

}  // namespace megalith::detail

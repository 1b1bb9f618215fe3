// SPDX-License-Identifier: Apache-2.0
// Products on the calling thread, for tiles inside a kernel's task, of operands that are packed once for several products.
// Always in fp32.
#pragma once

#include <span>

#include "megalith/kernels/gemm.h"

namespace megalith {

namespace detail {
struct GemmKernel;  // src/kernels/gemm_kernel.h
}

/// A left operand for a TileKernel: packed, or in place.
template <class S>
struct PackedLeft {
  Operand<S> operand;
  const S* packed = nullptr;  // null: in place
  Index row_size = 0;         // numbers of `packed` for a row

  /// Rows [begin, begin + count); begin is a multiple of 16.
  PackedLeft rows(Index begin, Index count) const {
    assert(packed == nullptr || begin % 16 == 0);
    return {operand.block(begin, 0, count, operand.cols), packed == nullptr ? nullptr : packed + begin * row_size, row_size};
  }
};

/// A right operand for a TileKernel, or some of its rows and columns.
template <class S>
struct PackedRight {
  Operand<S> operand;
  const S* packed = nullptr;  // null: in place
  Index panel_rows = 0;       // rows of the operand that was packed
  Index first = 0;            // those of them before this part

  /// Rows [begin, begin + count); begin is a multiple of the kernel's `unit`.
  PackedRight rows(Index begin, Index count) const {
    PackedRight part = *this;
    part.operand = operand.block(begin, 0, count, operand.cols);
    part.first += begin;
    return part;
  }
  PackedRight first_cols(Index count) const {
    PackedRight part = *this;
    part.operand = operand.block(0, 0, operand.rows, count);
    return part;
  }
};

namespace detail {
/// The kernel for float tiles whose right operands begin at rows that are multiples of `unit`; null: Eigen multiplies
/// operands in place.
const GemmKernel* tile_kernel(const Context& ctx, Index unit);
/// Numbers that a packed operand takes, 0 where it is used in place; and the elements of one of its rows or columns.
Index packed_left_size(const GemmKernel& kernel, Index rows, Index depth);
Index packed_right_size(const GemmKernel& kernel, Index depth, Index cols);
Index packed_line_size(const GemmKernel& kernel, Index depth);
void pack_left(const GemmKernel& kernel, const Operand<float>& a, float* memory);
void pack_right(const GemmKernel& kernel, const Operand<float>& b, float* memory);
void float_tile_gemm(const GemmKernel& kernel, const PackedLeft<float>& a, const PackedRight<float>& b, const Mat<float>& c,
                     Into into, std::span<const float> prefetch);
}  // namespace detail

/// Packs and multiplies tiles for one call of a kernel. The caller provides the memory, of left_size() and right_size()
/// numbers. Any thread may use it.
template <class S>
class TileKernel {
 public:
  /// Picks the kernel. Parts of right operands must begin at multiples of `unit` rows; kernels that pack left operands too
  /// are taken only if that is a multiple of 32.
  TileKernel(const Context& ctx, Index unit) {
    if constexpr (std::is_same_v<S, float>) kernel_ = detail::tile_kernel(ctx, unit);
  }

  /// Numbers of memory that a packed operand (rows, cols) takes.
  Index left_size(Index rows, Index cols) const {
    if constexpr (std::is_same_v<S, float>)
      if (kernel_ != nullptr) return detail::packed_left_size(*kernel_, rows, cols);
    return 0;
  }
  Index right_size(Index rows, Index cols) const {
    if constexpr (std::is_same_v<S, float>)
      if (kernel_ != nullptr) return detail::packed_right_size(*kernel_, rows, cols);
    return 0;
  }

  /// Packs an operand into `memory`, which must stay as long as the result is used.
  PackedLeft<S> left(const Operand<S>& a, S* memory) const {
    if constexpr (std::is_same_v<S, float>)
      if (left_size(a.rows, a.cols) > 0) detail::pack_left(*kernel_, a, memory);
    return packed_left(a, memory);
  }
  PackedLeft<S> left(const Operand<S>& a, Frame& frame) const { return left(a, frame.take<S>(left_size(a.rows, a.cols))); }
  PackedRight<S> right(const Operand<S>& b, S* memory) const {
    if constexpr (std::is_same_v<S, float>)
      if (kernel_ != nullptr) detail::pack_right(*kernel_, b, memory);
    return packed_right(b, memory);
  }
  PackedRight<S> right(const Operand<S>& b, Frame& frame) const {
    return right(b, frame.take<S>(right_size(b.rows, b.cols)));
  }
  /// An operand that has been packed into `memory` already.
  PackedLeft<S> packed_left(const Operand<S>& a, const S* memory) const {
    if constexpr (std::is_same_v<S, float>)
      if (left_size(a.rows, a.cols) > 0) return {a, memory, detail::packed_line_size(*kernel_, a.cols)};
    return {a};
  }
  PackedRight<S> packed_right(const Operand<S>& b, const S* memory) const {
    if constexpr (std::is_same_v<S, float>)
      if (kernel_ != nullptr) return {b, memory, b.rows, 0};
    return {b};
  }

  /// c = a b, or c += a b. `prefetch` is what the caller reads next: the kernel may prefetch it meanwhile.
  void gemm(const PackedLeft<S>& a, const PackedRight<S>& b, Mat<S> c, Into into, std::span<const S> prefetch = {}) const {
    assert(a.operand.rows == c.rows && b.operand.cols == c.cols && a.operand.cols == b.operand.rows);
    [[maybe_unused]] const detail::GemmScope<S> scope;
    if constexpr (std::is_same_v<S, float>)
      if (kernel_ != nullptr) return detail::float_tile_gemm(*kernel_, a, b, c, into, prefetch);
    detail::eigen_tile_gemm(a.operand, b.operand, c, into);
  }

 private:
  const detail::GemmKernel* kernel_ = nullptr;
};

}  // namespace megalith

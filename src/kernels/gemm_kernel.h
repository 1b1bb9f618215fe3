// SPDX-License-Identifier: Apache-2.0
// What an instruction set implements of float products: how operands are packed, and a block of the product. Each
// implementation is in a file of its own that is compiled for its instruction set; which one is used is decided at run time.
#pragma once

#include "megalith/core/shape.h"

namespace megalith::detail {

/// An element of a packed operand, four bytes: a number in fp32, two neighbours along the depth in bf16 (or in one of the
/// bf16 parts of fp32 numbers).
using PackedElement = float;

/// The most rows of a, as in decoding, for which b is read in place: packing it would cost more than it saves.
constexpr Index kMaxThinRows = 48;

/// Strides of a packed left operand: element (r, k) of panel p is at p * panel + r * row + k * step.
struct LeftLayout {
  Index row, step, panel;
};

/// A part of a product that one thread computes: c (rows, cols) = base + a b. Sums run over `depth` elements in their order,
/// whatever the sizes, and base is added only then: the bits of a number of c depend on its row of a, its column of b and
/// its base alone.
struct GemmBlock {
  Index rows, cols, depth;
  const PackedElement* a;  // element (r, k) of panel p: a[p * a_panel + r * a_row + k * a_step], r < panel_rows
  Index a_panel, a_row, a_step;
  const PackedElement* b;  // element (k, j) of panel p: b[p * b_panel + k * b_step + j], j < panel_cols
  Index b_panel, b_step;
  float* c;
  Index c_stride;
  const float* base;              // null: 0
  Index base_stride;              // 0: the same row for all rows of c
  const PackedElement* prefetch;  // what the next block reads; a kernel may prefetch it
  Index prefetch_size;
};

/// A kernel and its block sizes, named as in BLIS (Van Zee & van de Geijn 2015): a is packed in panels of a few rows, b in
/// panels of a few columns, and both are cut into blocks of kc along the depth.
struct GemmKernel {
  const char* name;
  Index panel_rows, panel_cols;   // of a panel of a, and of one of b
  Index lanes;                    // numbers in a register
  Index kc;                       // numbers along the depth after which sums go to memory: panels of b this deep stay in L2
  Index k_step, k_step_elements;  // along the depth a panel has k_step_elements for each k_step numbers, padded with 0
  Index mc, nc;                   // the most rows of a, or columns of b, that one thread packs for itself: they stay in L2
  Index streamed_rows, streamed_cols;  // of the other operand, which is streamed past these, in one GemmBlock
  Index min_streamed;  // the fewest rows or columns to stream past an operand that is packed once more for them
  /// The layout in which pack_a packs a left operand, transposed or not, in panels of `elements` along the depth.
  LeftLayout (*left)(bool transposed, Index elements);
  /// Packs b (depth, cols), row-major with `stride` or transposed, as panels of (elements, panel_cols), padded with 0. The
  /// sums of the columns of a row-major b are added to `sums`, unless that is null.
  void (*pack_b)(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out, float* sums);
  /// Packs a (rows, depth) in the layout of `left`; up to `lanes` more elements are written behind the last. `in_row`
  /// numbers may be read from the start of each row of a transposed a.
  void (*pack_a)(const float* a, Index stride, bool transposed, Index rows, Index in_row, Index depth, PackedElement* out);
  void (*block)(const GemmBlock& block);

  /// Whether operands may be used in place, unpacked.
  bool in_place() const { return k_step == 1; }
  Index elements(Index depth) const { return (depth + k_step - 1) / k_step * k_step_elements; }
};

/// The fastest kernels of this machine; null where there is none. fp32_kernel() reads operands in place, for products of few
/// rows or on one thread; blocked_fp32_kernel() is for all others.
const GemmKernel* fp32_kernel();
const GemmKernel* blocked_fp32_kernel();
const GemmKernel* bf16_kernel();

/// The kernels of an instruction set; null where the machine lacks it.
const GemmKernel* gemm_kernel_avx2();
const GemmKernel* gemm_kernel_avx512();
const GemmKernel* gemm_kernel_avx512_bf16();
const GemmKernel* gemm_kernel_amx();
const GemmKernel* gemm_kernel_amx_bf16();

}  // namespace megalith::detail

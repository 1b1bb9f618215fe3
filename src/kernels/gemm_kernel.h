// SPDX-License-Identifier: Apache-2.0
// What one instruction set brings to float products: how to lay out the factors, and a block of the product. Implemented in
// files of their own, each compiled for its instruction set; which one runs is decided on the machine.
#pragma once

#include "megalith/core/shape.h"

namespace megalith::detail {

/// An element of a packed factor: one number in fp32, two neighbours along K in bf16 or in a part of a number that is one.
/// Four bytes in all of them.
using PackedElement = float;

/// With so few rows, as in decoding, a right factor is read where it lies: laying it out costs more than it saves.
constexpr Index kFewRows = 48;

/// Where element (r, k) of panel p of a packed left factor lies: at p * panel + r * row + k * step.
struct LeftLayout {
  Index row, step, panel;
};

/// A part of a product that one thread computes: c (rows, cols) = base + a b. Sums run over `depth` elements in their order,
/// whatever the sizes, and only then is base added: the bits of a number of c depend on nothing beside it.
struct GemmBlock {
  Index rows, cols, depth;
  const PackedElement* a;  // element (r, k) of panel p is a[p * a_panel + r * a_row + k * a_step], r < GemmKernel::rows
  Index a_panel, a_row, a_step;
  const PackedElement* b;  // element (k, j) of panel p is b[p * b_panel + k * b_step + j], j < GemmKernel::cols
  Index b_panel, b_step;
  float* c;
  Index c_stride;
  const float* base;          // null: 0
  Index base_stride;          // 0: the same row for all rows of c
  const PackedElement* next;  // what may be fetched meanwhile, for the next block
  Index next_size;
};

struct GemmKernel {
  const char* name;
  Index rows, cols;  // of the panels of a and b
  Index lanes;       // numbers in a register
  Index chunk;       // numbers along K after which a sum goes to memory: panels of b so long stay in the second cache
  Index step, step_elements;     // along K: panels take so many elements for each `step` numbers, padded with 0
  Index strip_rows, strip_cols;  // of the output: what one thread lays out for itself of a factor stays in the second cache
  Index pass_rows, pass_cols;    // of the other factor, which passes by, in one block
  Index short_piece;             // of a strip: shorter ones are not worth laying out its factor for each
  /// How pack_a lays out a left factor that is transposed or not, in panels of so many elements along K.
  LeftLayout (*left)(bool transposed, Index elements);
  /// Lays out b (depth, cols), row-major with `stride` or transposed, as panels of (elements, GemmKernel::cols), padded with
  /// 0. The sums of the columns of a row-major b are added to `sums`, unless that is null.
  void (*pack_b)(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out, float* sums);
  /// Lays out a (rows, depth) as `left` says; up to `lanes` more elements are written behind the last. Of a transposed a,
  /// `in_row` numbers may be read from the start of each row on.
  void (*pack_a)(const float* a, Index stride, bool transposed, Index rows, Index in_row, Index depth, PackedElement* out);
  void (*block)(const GemmBlock& block);

  /// Whether factors may be used where they lie, unpacked.
  bool in_place() const { return step == 1; }
  Index elements(Index depth) const { return (depth + step - 1) / step * step_elements; }
};

/// The fastest kernels of this machine; null where there are none. fp32_kernel() takes factors where they lie, for products
/// of few rows or on one thread; blocked_fp32_kernel() is for all others.
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

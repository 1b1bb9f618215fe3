// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/tile_gemm.h"

#include "gemm_block.h"

namespace megalith::detail {

const GemmKernel* tile_kernel(const Context& ctx, Index unit) {
  const GemmKernel* const fastest = blocked_fp32_kernel();
  return ctx.batch_invariant || fastest == nullptr || unit % fastest->k_step != 0 ? fp32_kernel() : fastest;
}

Index packed_left_size(const GemmKernel& kernel, Index rows, Index depth) {
  if (kernel.in_place()) return 0;
  return blocks_of(rows, kernel.panel_rows) * kernel.left(false, kernel.elements(depth)).panel + kernel.lanes;
}

Index packed_right_size(const GemmKernel& kernel, Index depth, Index cols) {
  return rounded_up(cols, kernel.panel_cols) * kernel.elements(depth);
}

Index packed_line_size(const GemmKernel& kernel, Index depth) { return kernel.elements(depth); }

void pack_left(const GemmKernel& kernel, const Operand<float>& a, float* memory) {
  kernel.pack_a(a.data, a.stride, a.transposed, a.rows, a.rows, a.cols, memory);
}

void pack_right(const GemmKernel& kernel, const Operand<float>& b, float* memory) {
  kernel.pack_b(b.data, b.stride, b.transposed, b.cols, b.rows, memory, nullptr);
}

void float_tile_gemm(const GemmKernel& kernel, const PackedLeft<float>& a, const PackedRight<float>& b, const Mat<float>& c,
                     Into into, std::span<const float> prefetch) {
  GemmBlock t{};
  t.rows = c.rows;
  t.cols = c.cols;
  t.depth = kernel.elements(a.operand.cols);
  if (kernel.in_place()) set_left(t, kernel, a.operand);
  else set_packed_left(t, kernel.left(a.operand.transposed, t.depth), a.packed);
  t.b = b.packed + kernel.elements(b.first) * kernel.panel_cols;
  t.b_panel = packed_right_size(kernel, b.panel_rows, kernel.panel_cols);
  t.b_step = kernel.panel_cols;
  t.prefetch = prefetch.data();
  t.prefetch_size = std::ssize(prefetch);
  set_base(t, c, into, nullptr, true);
  kernel.block(t);
}

}  // namespace megalith::detail

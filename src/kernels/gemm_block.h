// SPDX-License-Identifier: Apache-2.0
// Fills in the operands and the output of a GemmBlock.
#pragma once

#include "gemm_kernel.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {

inline Index blocks_of(Index n, Index size) { return (n + size - 1) / size; }
inline Index rounded_up(Index n, Index size) { return blocks_of(n, size) * size; }

/// A left operand that is used in place.
inline void set_left(GemmBlock& t, const GemmKernel& kernel, const Operand<float>& a) {
  t.a = a.data;
  t.a_row = a.transposed ? 1 : a.stride;
  t.a_step = a.transposed ? a.stride : 1;
  t.a_panel = kernel.panel_rows * t.a_row;
}

/// A packed left operand.
inline void set_packed_left(GemmBlock& t, const LeftLayout& layout, const PackedElement* packed) {
  t.a = packed;
  t.a_row = layout.row;
  t.a_step = layout.step;
  t.a_panel = layout.panel;
}

/// c, and the base that is added to it: its old numbers where the product is added or this is not the `first` block of the
/// depth, else the bias.
inline void set_base(GemmBlock& t, const Mat<float>& c, Into into, const float* bias, bool first) {
  t.c = c.data;
  t.c_stride = c.stride;
  const bool add = into == Into::add || !first;
  t.base = add ? c.data : bias;
  t.base_stride = add ? c.stride : 0;
}

}  // namespace megalith::detail

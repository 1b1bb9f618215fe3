// SPDX-License-Identifier: Apache-2.0
// Float products by a given kernel, so that tests reach each of them.
#pragma once

#include "gemm_kernel.h"
#include "megalith/kernels/gemm.h"

namespace megalith::detail {

/// c = a b + bias or c += a b on all threads, and b_sums += the sums of the columns of b; bias and b_sums may be null.
void blocked_gemm(const GemmKernel& kernel, const Context& ctx, const Operand<float>& a, const Operand<float>& b,
                  const Mat<float>& c, Into into, const float* bias, float* b_sums);

/// Numbers of scratch that it takes for an output (rows, cols) and sums of `depth` products.
double blocked_gemm_scratch(const GemmKernel& kernel, Index rows, Index cols, Index depth, bool left_transposed,
                            int threads);

}  // namespace megalith::detail

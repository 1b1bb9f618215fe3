// SPDX-License-Identifier: Apache-2.0
// Which kernel multiplies float matrices.
#include "blocked_gemm.h"
#include "megalith/kernels/gemm.h"
#include "megalith/kernels/gemm_scratch.h"

namespace megalith {
namespace detail {

void float_gemm(const Context& ctx, const Operand<float>& a, const Operand<float>& b, const Mat<float>& c, Into into,
                const float* bias, float* b_sums) {
  const GemmKernel* const kernel = ctx.precision == Precision::bf16                ? bf16_kernel()
                                   : ctx.batch_invariant || c.rows <= kMaxThinRows ? fp32_kernel()
                                                                                   : blocked_fp32_kernel();
  if (kernel != nullptr) return blocked_gemm(*kernel, ctx, a, b, c, into, bias, b_sums);
  eigen_gemm(ctx, a, b, c, into, bias);
  if (b_sums != nullptr) add_column_sums<float>(ctx, {b.data, 1, b.rows, b.cols}, row_map(b_sums, b.cols));
}

}  // namespace detail

double gemm_scratch(Index rows, Index cols, Index depth, LeftOperand left, int threads) {
  const detail::GemmKernel* const kernel =
      rows <= detail::kMaxThinRows ? detail::fp32_kernel() : detail::blocked_fp32_kernel();
  if (kernel == nullptr) return 0;
  return detail::blocked_gemm_scratch(*kernel, rows, cols, depth, left == LeftOperand::transposed, threads);
}

const char* gemm_backend() {
  const detail::GemmKernel* const kernel = detail::blocked_fp32_kernel();
  return kernel != nullptr ? kernel->name : "Eigen";
}

bool has_bf16_gemm() { return detail::bf16_kernel() != nullptr; }

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The fastest kernels of an x86 machine, picked at run time.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* fp32_kernel() {
  static const GemmKernel* const best = gemm_kernel_avx512() != nullptr ? gemm_kernel_avx512() : gemm_kernel_avx2();
  return best;
}

const GemmKernel* blocked_fp32_kernel() {
  static const GemmKernel* const best = gemm_kernel_amx() != nullptr ? gemm_kernel_amx() : fp32_kernel();
  return best;
}

const GemmKernel* bf16_kernel() {
  static const GemmKernel* const best =
      gemm_kernel_amx_bf16() != nullptr ? gemm_kernel_amx_bf16() : gemm_kernel_avx512_bf16();
  return best;
}

}  // namespace megalith::detail

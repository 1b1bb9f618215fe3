// SPDX-License-Identifier: Apache-2.0
// Float products with AVX2 and fused multiply-adds, compiled for them (src/kernels/CMakeLists.txt).
#include "micro_kernel.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_avx2() {
  static constexpr GemmKernel kernel = gemm_kernel<Fp32<8>, 6, 2>("AVX2");  // 12 of the 16 registers hold sums
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernel : nullptr;
}

}  // namespace megalith::detail

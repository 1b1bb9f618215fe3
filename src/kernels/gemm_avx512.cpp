// SPDX-License-Identifier: Apache-2.0
// Float products with AVX-512, compiled for it (src/kernels/CMakeLists.txt).
#include "micro_kernel.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_avx512() {
  // 24 of the 32 registers hold sums. Six rows are few enough to be read in place: more of them, a power of two apart, would
  // collide in one set of L1.
  static constexpr GemmKernel kernel = gemm_kernel<Fp32<16>, 6, 4>("AVX-512");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? &kernel : nullptr;
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Products of operands rounded to bf16, with sums in fp32, by AVX-512's dot products of pairs; compiled for them
// (src/kernels/CMakeLists.txt).
#include "bf16_pairs.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_avx512_bf16() {
  static constexpr GemmKernel kernel = gemm_kernel<Bf16, 6, 4>("AVX-512 BF16");
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") ? &kernel : nullptr;
}

}  // namespace megalith::detail

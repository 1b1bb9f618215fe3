// SPDX-License-Identifier: Apache-2.0
// Products of operands rounded to bf16, with sums in fp32, by AVX-512's dot products of pairs; compiled for them
// (src/kernels/CMakeLists.txt).
#include "bf16_pairs.h"
#include "micro_kernel.h"

namespace megalith::detail {
namespace {

/// bf16: an element is two neighbours along the depth, the first of them in its low half.
struct Bf16 {
  static constexpr int kLanes = 16, kGroup = 2;
  using Vec = Floats<16>;

  /// A pair in all lanes. Its bits are not a float's: nothing may be computed from it but by multiply_add.
  static Vec broadcast(PackedElement a) {
    Vec all = reinterpret_cast<Vec>(_mm512_set1_ps(a));
    asm("" : "+v"(all));
    return all;
  }
  static Vec multiply_add(Vec sum, Vec a, Vec b) {
    return reinterpret_cast<Vec>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
  }
  static Vec along(const float* row) {
    return reinterpret_cast<Vec>(rounded_along(_mm512_loadu_ps(row), _mm512_loadu_ps(row + kLanes)));
  }
  static Vec across(const float* row, Index stride) {
    return reinterpret_cast<Vec>(rounded_across(_mm512_loadu_ps(row), _mm512_loadu_ps(row + stride)));
  }
};

}  // namespace

const GemmKernel* gemm_kernel_avx512_bf16() {
  static constexpr GemmKernel kernel = gemm_kernel<Bf16, 6, 4>("AVX-512 BF16");
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") ? &kernel : nullptr;
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Products of operands rounded to bf16, with sums in fp32, by AVX-512's dot products of pairs; compiled for them
// (src/kernels/CMakeLists.txt).
#include <immintrin.h>

#include "micro_kernel.h"

namespace megalith::detail {
namespace {

/// bf16: an element is two neighbours along K, the first of them in its low half.
struct Bf16 {
  static constexpr int kLanes = 16, kGroup = 2;
  using Vec = Floats<16>;

  static Vec multiply_add(Vec sum, PackedElement a, Vec b) {
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(
        reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(_mm512_set1_ps(a)), reinterpret_cast<__m512bh>(b)));
  }
  static Vec along(const float* row) { return pairs(row, row + kLanes); }
  static Vec across(const float* row, Index stride) {
    const __m512i halves = reinterpret_cast<__m512i>(pairs(row, row + stride));
    // Numbers i of both rows side by side.
    alignas(64) static constexpr unsigned short kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                   21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                   11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return reinterpret_cast<Vec>(_mm512_permutexvar_epi16(_mm512_load_si512(kInterleave), halves));
  }

 private:
  /// 16 numbers from each pointer, rounded to nearest even.
  static Vec pairs(const float* first, const float* second) {
    return reinterpret_cast<Vec>(_mm512_cvtne2ps_pbh(_mm512_loadu_ps(second), _mm512_loadu_ps(first)));
  }
};

}  // namespace

const GemmKernel* gemm_kernel_avx512_bf16() {
  static constexpr GemmKernel kernel = gemm_kernel<Bf16, 6, 4>("AVX-512 BF16");
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") ? &kernel : nullptr;
}

}  // namespace megalith::detail

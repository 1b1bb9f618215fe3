// SPDX-License-Identifier: Apache-2.0
// Pairs of bf16 numbers, for the kernels that multiply them. Included, as micro_kernel.h is, by files that are compiled for
// AVX-512 BF16.
#pragma once

#include <immintrin.h>

#include "micro_kernel.h"

namespace megalith::detail {
namespace {

/// bf16: an element is two neighbours along K, the first of them in its low half.
struct Bf16 {
  static constexpr int kLanes = 16, kGroup = 2, kMultiple = 1;
  using Vec = Floats<16>;

  /// A pair in all lanes. It is no number: nothing may be computed of it.
  static Vec broadcast(PackedElement a) {
    Vec all = reinterpret_cast<Vec>(_mm512_set1_ps(a));
    asm("" : "+v"(all));
    return all;
  }
  static Vec multiply_add(Vec sum, Vec a, Vec b) {
    return reinterpret_cast<Vec>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
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
}  // namespace megalith::detail

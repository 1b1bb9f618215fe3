// SPDX-License-Identifier: Apache-2.0
// Pairs of numbers rounded to bf16, to nearest even, the first of each in its low half. Included by files that are compiled
// for AVX-512 BF16.
#pragma once

#include <immintrin.h>

namespace megalith::detail {
namespace {

/// (x0, x1) ... (x14, x15) (y0, y1) ... (y14, y15)
inline __m512i rounded_along(__m512 x, __m512 y) { return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(y, x)); }

/// (x0, y0) ... (x15, y15)
inline __m512i rounded_across(__m512 x, __m512 y) {
  alignas(64) static constexpr unsigned short kInterleave[32] = {
      0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(kInterleave), rounded_along(x, y));
}

}  // namespace
}  // namespace megalith::detail

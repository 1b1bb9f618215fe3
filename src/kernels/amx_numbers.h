// SPDX-License-Identifier: Apache-2.0
// Numbers as the tile registers of AMX take them: rounded to bf16, or whole fp32 numbers, each split into three bf16
// numbers. Included by gemm_amx.cpp alone, which is compiled for AVX-512 BF16.
//
// Three bf16 numbers hold the 24 significant bits of an fp32 number exactly: x = x1 + x2 + x3, each at most 2^-8 of the one
// before. Of the nine products of two such sums six are added up, (1,3) (1,2) (2,2) (2,1) (3,1) (1,1); the other three are
// at most 2^-23 of |a b| together and mostly far less, about what fp32 loses when it rounds a product. (Henry, Tang and
// Heinecke 2019, "Leveraging the bfloat16 artificial intelligence datatype for higher-precision computations".)
//
// Tile products treat numbers below 2^-126 as 0, so fp32 numbers below 2^-102 lose digits here. Those from 3.396e38 on round
// to infinity, and infinities may come out of a product as NaN, because splitting one leaves NaN.
#pragma once

#include <immintrin.h>

#include "bf16_pairs.h"
#include "gemm_kernel.h"
#include "vectors.h"

namespace megalith::detail {
namespace {

constexpr Index kSide = 16, kTile = kSide * kSide;  // elements of a tile
constexpr Index kDepth = 2 * kSide;                 // numbers along the depth in a tile

using Vec = Floats<kSide>;

inline __m512 numbers(Vec v) { return reinterpret_cast<__m512>(v); }
inline __m512i bits(__m512 v) { return _mm512_castps_si512(v); }

/// Which numbers of x and y are neighbours along the depth, and so make an element.
enum class Pairs {
  along,  // (x0, x1) ... (x14, x15) (y0, y1) ... (y14, y15)
  across  // (x0, y0) ... (x15, y15)
};

/// Numbers rounded to bf16, to nearest even.
struct Rounded {
  static constexpr int kParts = 1;

  template <Pairs kPairs>
  static void store_elements(Vec x, Vec y, PackedElement* out) {
    _mm512_storeu_si512(
        out, kPairs == Pairs::along ? rounded_along(numbers(x), numbers(y)) : rounded_across(numbers(x), numbers(y)));
  }
};

/// Numbers split into three bf16 numbers. Each part is a tile of its own.
struct Split {
  static constexpr int kParts = 3;

  template <Pairs kPairs>
  static void store_elements(Vec x, Vec y, PackedElement* out) {
    __m512 left_x = numbers(x), left_y = numbers(y);
    for (int part = 0; part < kParts - 1; ++part) {
      const __m512i part_x = cut(left_x), part_y = cut(left_y);
      store_high_halves<kPairs>(part_x, part_y, out + part * kTile);
    }
    store_high_halves<kPairs>(bits(left_x), bits(left_y), out + (kParts - 1) * kTile);
  }

 private:
  /// The nearest bf16 number, ties away from 0; x becomes the rest.
  static __m512i cut(__m512& x) {
    const __m512i high = _mm512_and_si512(_mm512_add_epi32(bits(x), _mm512_set1_epi32(0x8000)),
                                          _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
    x = _mm512_sub_ps(x, _mm512_castsi512_ps(high));
    return high;
  }
  template <Pairs kPairs>
  static void store_high_halves(__m512i x, __m512i y, PackedElement* out) {
    if constexpr (kPairs == Pairs::along) {
      alignas(64) static constexpr unsigned short kHighHalves[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                                     23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                                     45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
      _mm512_storeu_si512(out, _mm512_permutex2var_epi16(x, _mm512_load_si512(kHighHalves), y));
    } else {
      _mm512_storeu_si512(out, _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(x, 16), y));
    }
  }
};

/// A mask of the first `count` of 16 lanes: all from 16 on, none up to 0.
inline __mmask16 first_lanes(Index count) {
  return static_cast<__mmask16>(count >= kSide ? 0xffffu : count > 0 ? (1u << count) - 1 : 0u);
}

/// 16 rows of 16 numbers, 0 beyond `rows` and `cols`.
inline void load_square(const float* from, Index stride, Index rows, Index cols, Vec (&square)[kSide]) {
  if (rows >= kSide && cols >= kSide) {
#pragma GCC unroll 16
    for (int i = 0; i < kSide; ++i) square[i] = load<Vec>(from + i * stride);
    return;
  }
  const __mmask16 mask = first_lanes(cols);
  for (int i = 0; i < kSide; ++i)
    square[i] = i < rows ? reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(mask, from + i * stride)) : Vec{};
}

}  // namespace
}  // namespace megalith::detail

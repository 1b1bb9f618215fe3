// SPDX-License-Identifier: Apache-2.0
// Packs operands in panels of tiles for gemm_amx.cpp, which alone includes it.
#pragma once

#include "amx_numbers.h"

namespace megalith::detail {
namespace {

/// Panels of 16 rows or columns. Along the depth a panel has, for each 32 numbers, a tile of each part of the numbers.
template <class Numbers>
struct AmxPanels {
  static constexpr int kParts = Numbers::kParts;
  /// Elements of a panel, and of each of its rows, for 32 numbers along the depth.
  static constexpr Index kPanelTiles = kParts * kTile, kRowElements = kPanelTiles / kSide;

  static LeftLayout left(bool, Index elements) { return {kSide, kSide, kSide * elements}; }

  static void pack_a(const float* a, Index stride, bool transposed, Index rows, Index, Index depth, PackedElement* out) {
    if (transposed) pack<Pairs::along, false>(a, stride, rows, depth, out, nullptr);
    else pack<Pairs::along, true>(a, stride, rows, depth, out, nullptr);
  }
  static void pack_b(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out,
                     float* sums) {
    if (transposed) pack<Pairs::across, true>(b, stride, cols, depth, out, nullptr);
    else pack<Pairs::across, false>(b, stride, cols, depth, out, sums);
  }

 private:
  /// `count` rows or columns by `depth` numbers. kContiguous: the numbers along the depth are neighbours in memory.
  template <Pairs kPairs, bool kContiguous>
  static void pack(const float* from, Index stride, Index count, Index depth, PackedElement* out, float* sums) {
    const Index panels = (count + kSide - 1) / kSide, steps = (depth + kDepth - 1) / kDepth;
    for (Index i = 0; i < panels * steps; ++i) {  // in the order of the rows in memory
      const Index panel = kContiguous ? i / steps : i % panels, step = kContiguous ? i % steps : i / panels;
      const Index p = panel * kSide, k = step * kDepth;
      Vec x[kSide], y[kSide];
      if constexpr (kContiguous) {
        if (p + kSide < count) {
          for (Index row = kSide; row < 2 * kSide; ++row) {
            _mm_prefetch(from + (p + row) * stride + k, _MM_HINT_T1);
            _mm_prefetch(from + (p + row) * stride + k + kSide, _MM_HINT_T1);
          }
        }
        load_square(from + p * stride + k, stride, count - p, depth - k, x);
        load_square(from + p * stride + k + kSide, stride, count - p, depth - k - kSide, y);
      } else {
        for (Index row = 0; row < kDepth; ++row) _mm_prefetch(from + (k + kDepth + row) * stride + p, _MM_HINT_T1);
        load_square(from + k * stride + p, stride, depth - k, count - p, x);
        load_square(from + (k + kSide) * stride + p, stride, depth - k - kSide, count - p, y);
        if (sums != nullptr) add_rows(x, y, smaller(kSide, count - p), sums + p);
      }
      if constexpr (kContiguous != (kPairs == Pairs::along)) {
        transpose(x);
        transpose(y);
      }
      PackedElement* const tiles = out + (panel * steps + step) * kPanelTiles;
#pragma GCC unroll 16
      for (int row = 0; row < kSide; ++row) {
        if constexpr (kPairs == Pairs::along) {
          Numbers::template store_elements<kPairs>(x[row], y[row], tiles + row * kSide);
        } else {
          const Vec* const pair = row < kSide / 2 ? x + 2 * row : y + 2 * row - kSide;
          Numbers::template store_elements<kPairs>(pair[0], pair[1], tiles + row * kSide);
        }
      }
    }
  }

  static void add_rows(const Vec (&x)[kSide], const Vec (&y)[kSide], Index cols, float* sums) {
    Vec sum_x = x[0], sum_y = y[0];
    for (int i = 1; i < kSide; ++i) {
      sum_x += x[i];
      sum_y += y[i];
    }
    sum_x += sum_y;
    for (Index l = 0; l < cols; ++l) sums[l] += sum_x[l];
  }
};

}  // namespace
}  // namespace megalith::detail

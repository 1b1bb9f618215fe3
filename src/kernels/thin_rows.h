// SPDX-License-Identifier: Apache-2.0
// One or a few rows of a, as in decoding, times b in place. Sums run in the order of micro_kernel.h: the same bits.
#pragma once

#include "register_tile.h"

namespace megalith::detail {
namespace {

template <class Arithmetic, int kRows, int kVectors>
struct ThinRows : RegisterTile<Arithmetic, kRows, kVectors> {
  using Tile = RegisterTile<Arithmetic, kRows, kVectors>;
  using Tile::kLanes, Tile::kCols, Tile::kPrefetchRows, Tile::prefetch_to_l2, Tile::with_size;
  using typename Tile::Vec;

  /// One row. Each number of b is used once, so memory bandwidth is the limit, and it is highest where a few rows are read
  /// in long runs: kTogether rows of b are added to sums that stay in L1.
  static void one_row(const GemmBlock& t) {
    constexpr Index kMaxSums = 1024, kTogether = 8;
    alignas(64) float sums[kMaxSums];
    for (Index j = 0; j < t.cols; j += kMaxSums) {
      const Index width = smaller(kMaxSums, t.cols - j);
      for (Index i = 0; i < width; i += kLanes) store(sums + i, Vec{});
      Index k = 0;
      for (; k + kTogether <= t.depth; k += kTogether) add_rows<kTogether>(t, k, j, width, sums);
      for (; k < t.depth; ++k) add_rows<1>(t, k, j, width, sums);
      for (Index i = 0; i < width; i += kLanes) {
        const Vec sum = load<Vec>(sums + i);
        store(t.c + j + i, t.base == nullptr ? sum : load<Vec>(t.base + j + i) + sum);
      }
    }
  }

  /// A few rows, more than one register tile has. b comes from L3 or memory, its rows a page or more apart: the hardware
  /// prefetcher does not help, and rows a power of two apart collide in few cache sets. So a block of b, kBlockDepth rows of
  /// a panel's columns, goes through a copy: the first tile of rows makes it, the others read it, and together they prefetch
  /// the next block.
  static void few_rows(const GemmBlock& t) {
    constexpr Index kLines = kCols / 16;
    alignas(64) float sums[kMaxThinRows * kCols];
    alignas(64) PackedElement copy[kBlockDepth * kCols];
    for (Index k = 0; k < smaller(kBlockDepth, t.depth); ++k)
      for (Index l = 0; l < kLines; ++l) prefetch_to_l2(t.b + k * t.b_step + l * 16);
    for (Index j = 0; j < t.cols; j += kCols) {
      const Index width = smaller(kCols, t.cols - j);
      for (Index i = 0; i < t.rows * kCols; i += kLanes) store(sums + i, Vec{});
      for (Index k = 0; k < t.depth; k += kBlockDepth) {
        const PackedElement* const b = t.b + k * t.b_step + j;
        const bool more = k + kBlockDepth < t.depth;  // of this panel
        const Index lines = more || j + kCols < t.cols ? kLines : 0;
        for (Index r = 0; r < t.rows; r += kRows) {
          const Index rows = smaller(kRows, t.rows - r);
          const TileOfBlock p{.a = t.a + r / kRows * t.a_panel + k * t.a_step,
                              .b = r == 0 ? b : copy,
                              .b_step = r == 0 ? t.b_step : kCols,
                              .depth = smaller(kBlockDepth, t.depth - k),
                              .copy = r == 0 ? copy : nullptr,
                              .next = more ? b + kBlockDepth * t.b_step : t.b + j + kCols,
                              .first_line = (lines * r + t.rows - 1) / t.rows,
                              .last_line = (lines * (r + rows) + t.rows - 1) / t.rows};
          with_size(rows, width / kLanes, [&]<int R, int N>() { add_tile<R, N>(t, p, sums + r * kCols); });
        }
      }
      for (Index r = 0; r < t.rows; ++r)
        for (Index i = 0; i < width; i += kLanes) {
          const Vec sum = load<Vec>(sums + r * kCols + i);
          store(t.c + r * t.c_stride + j + i, t.base == nullptr ? sum : load<Vec>(t.base + r * t.base_stride + j + i) + sum);
        }
    }
  }

 private:
  static constexpr Index kBlockDepth = 64;

  /// What one register tile of rows does with a block of b.
  struct TileOfBlock {
    const PackedElement *a, *b;
    Index b_step, depth;
    PackedElement* copy;          // to which b is copied; null: b is the copy
    const PackedElement* next;    // the next block of b, in place
    Index first_line, last_line;  // cache lines of each of its rows that this tile prefetches
  };

  /// sums (width) += a row of a times rows [k, k + R) of b, `width` of their columns from j on.
  template <int R>
  static void add_rows(const GemmBlock& t, Index k, Index j, Index width, float* sums) {
    const PackedElement* const b = t.b + k * t.b_step + j;
    Vec a[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) a[r] = Arithmetic::broadcast(t.a[(k + r) * t.a_step]);
    for (Index i = 0; i < width; i += kLanes) {
      Vec sum = load<Vec>(sums + i);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        prefetch_to_l2(b + (r + kPrefetchRows) * t.b_step + i);
        sum = Arithmetic::multiply_add(sum, a[r], load<Vec>(b + r * t.b_step + i));
      }
      store(sums + i, sum);
    }
  }

  /// to (R, kCols) += the product of the tile's rows and the block.
  template <int R, int N>
  static void add_tile(const GemmBlock& t, const TileOfBlock& p, float* to) {
    Vec sums[R][N];
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sums[i][n] = load<Vec>(to + i * kCols + n * kLanes);
    const PackedElement* next = p.next;
    const auto prefetch_next = [&] {
      for (Index l = p.first_line; l < p.last_line; ++l) prefetch_to_l2(next + l * 16);
      next += t.b_step;
    };
    const PackedElement *a = p.a, *b = p.b;
    if (PackedElement* copy = p.copy; copy != nullptr) {
      for (Index k = 0; k < p.depth; ++k, a += t.a_step, b += p.b_step, copy += kCols) {
        prefetch_next();
        Tile::template add_products<true>(sums, a, t.a_row, b, copy);
      }
    } else {
#pragma GCC unroll 4
      for (Index k = 0; k < p.depth; ++k, a += t.a_step, b += p.b_step) {
        prefetch_next();
        Tile::template add_products<false>(sums, a, t.a_row, b, nullptr);
      }
    }
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) store(to + i * kCols + n * kLanes, sums[i][n]);
  }
};

}  // namespace
}  // namespace megalith::detail

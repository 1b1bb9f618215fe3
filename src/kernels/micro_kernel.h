// SPDX-License-Identifier: Apache-2.0
// A block of a product, for any arithmetic on vectors; panels.h lays out its factors. Included by the files that are
// compiled for one instruction set: everything here has internal linkage and nothing of Eigen or of the standard library's
// code is used, so that the linker never puts their instructions into the rest of the program.
#pragma once

#include <utility>

#include "panels.h"

namespace megalith::detail {
namespace {

/// fp32: an element is a number.
template <int kLanesOf>
struct Fp32 {
  static constexpr int kLanes = kLanesOf, kGroup = 1;
  using Vec = Floats<kLanes>;

  /// a in all lanes, in a register: left to itself, GCC reads it from memory again for every product.
  static Vec broadcast(PackedElement a) {
    Vec all = a - Vec{};
    asm("" : "+v"(all));
    return all;
  }
  /// sum + a b
  static Vec multiply_add(Vec sum, Vec a, Vec b) { return sum + a * b; }
  /// The next elements along K, from contiguous numbers.
  static Vec along(const float* row) { return load<Vec>(row); }
  /// One element of each of the next columns, from row-major numbers.
  static Vec across(const float* row, Index) { return load<Vec>(row); }
};

/// c = base + a b by micro tiles of kRows x (kVectors * lanes) sums in registers.
template <class Arithmetic, int kRows, int kVectors>
struct MicroKernel : Panels<Arithmetic, kRows, kVectors> {
  using Layout = Panels<Arithmetic, kRows, kVectors>;
  using Layout::kLanes, Layout::kCols, Layout::kAhead;
  using typename Layout::Vec;

  static void block(const GemmBlock& t) {
    if (t.rows == 1 && lies_in_place(t) && t.cols % kLanes == 0) return row(t);
    for (Index j = 0; j < t.cols; j += kCols) {
      const Index width = smaller(kCols, t.cols - j);
      const PackedElement* const b = t.b + j / kCols * t.b_panel;
      for (Index r = 0; r < t.rows; r += kRows) {
        const Index height = smaller(kRows, t.rows - r);
        tile_of(height, (width + kLanes - 1) / kLanes)(t, t.a + r / kRows * t.a_panel, b, r, j, width);
      }
    }
  }

 private:
  using Tile = void (*)(const GemmBlock&, const PackedElement*, const PackedElement*, Index, Index, Index);

  /// Whether b lies as it was, its rows farther apart than a panel is wide.
  static bool lies_in_place(const GemmBlock& t) { return t.b_panel == kCols && t.b_step > kCols; }

  /// One row, its right factor where it lies. Each number of that is used once, so memory sets the pace, and memory likes
  /// long pieces of few rows: the sums wait in the first cache while kTogether rows pass by.
  static void row(const GemmBlock& t) {
    constexpr Index kMostSums = 1024, kTogether = 8;
    alignas(64) float sums[kMostSums];
    for (Index j = 0; j < t.cols; j += kMostSums) {
      const Index width = smaller(kMostSums, t.cols - j);
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
        fetch_near(b + (r + kAhead) * t.b_step + i);
        sum = Arithmetic::multiply_add(sum, a[r], load<Vec>(b + r * t.b_step + i));
      }
      store(sums + i, sum);
    }
  }

  /// Lines to fetch while a tile is multiplied: for row k of b, [first, last) of those from `row` + k * b_step on.
  struct Lines {
    const PackedElement* row;
    Index first, last;
  };

  /// Where b lies as it was it comes from beyond the second cache, each of its rows on a page of its own, where the machine
  /// fetches nothing ahead. So the first tile fetches its own panel, if nobody did, and the others the next one together.
  static Lines lines_to_fetch(const GemmBlock& t, const PackedElement* b, Index r, Index j) {
    constexpr Index kLines = kCols / 16;
    const Index tile = r / kRows, tiles = (t.rows + kRows - 1) / kRows;
    if (tile == 0 && (j == 0 || tiles == 1)) return {b + kAhead * t.b_step, 0, kLines};
    if (tile == 0 || j + kCols >= t.cols) return {b, 0, 0};
    return {b + kCols, kLines * (tile - 1) / (tiles - 1), kLines * tile / (tiles - 1)};
  }

  /// sums += a b, with kFar fetching `lines`.
  template <bool kFar, int R, int N>
  [[gnu::always_inline]] static void add_products(Vec (&sums)[R][N], const GemmBlock& t, const PackedElement* a,
                                                  const PackedElement* b, Lines lines) {
#pragma GCC unroll 4  // panels come from the second cache 5 % faster so
    for (Index k = 0; k < t.depth; ++k, a += t.a_step, b += t.b_step) {
      if constexpr (kFar) {
        for (Index l = lines.first; l < lines.last; ++l) fetch_near(lines.row + l * 16);
        lines.row += t.b_step;
      }
      Vec bk[N];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) bk[n] = load<Vec>(b + n * kLanes);
#pragma GCC unroll 32
      for (int i = 0; i < R; ++i) {
        const Vec ai = Arithmetic::broadcast(a[i * t.a_row]);
#pragma GCC unroll 8
        for (int n = 0; n < N; ++n) sums[i][n] = Arithmetic::multiply_add(sums[i][n], ai, bk[n]);
      }
    }
  }

  /// The micro tile at row r and column j of the block, `width` of its columns.
  template <int R, int N>
  static void tile(const GemmBlock& t, const PackedElement* a, const PackedElement* b, Index r, Index j, Index width) {
    Vec sums[R][N];
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sums[i][n] = Vec{};
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)  // the sums are stored in one go: their lines are on the way by then
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) __builtin_prefetch(t.c + (r + i) * t.c_stride + j + n * kLanes, 1);
    if (lies_in_place(t)) add_products<true>(sums, t, a, b, lines_to_fetch(t, b, r, j));
    else add_products<false>(sums, t, a, b, {});
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
      float* const c = t.c + (r + i) * t.c_stride + j;
      const float* const base = t.base == nullptr ? nullptr : t.base + (r + i) * t.base_stride + j;
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) {
        const Index at = n * kLanes;
        if (n < N - 1 || at + kLanes <= width) {
          store(c + at, base == nullptr ? sums[i][n] : load<Vec>(base + at) + sums[i][n]);
        } else {
          for (Index l = 0; at + l < width; ++l) c[at + l] = (base == nullptr ? 0.0f : base[at + l]) + sums[i][n][l];
        }
      }
    }
  }

  template <std::size_t... I>
  static Tile tile_of(Index rows, Index vectors, std::index_sequence<I...>) {
    static constexpr Tile tiles[] = {&tile<I / kVectors + 1, I % kVectors + 1>...};
    return tiles[(rows - 1) * kVectors + vectors - 1];
  }
  static Tile tile_of(Index rows, Index vectors) {
    return tile_of(rows, vectors, std::make_index_sequence<kRows * kVectors>());
  }

  /// Into the second cache, a line: the first has no room for what is on its way from memory.
  static void fetch_near(const float* line) { __builtin_prefetch(line, 0, 2); }
};

template <class Arithmetic, int kRows, int kVectors>
constexpr GemmKernel gemm_kernel(const char* name) {
  using K = MicroKernel<Arithmetic, kRows, kVectors>;
  return {.name = name,
          .rows = kRows,
          .cols = K::kCols,
          .lanes = Arithmetic::kLanes,
          .chunk = 512,
          .step = Arithmetic::kGroup,
          .step_elements = 1,
          .strip_rows = 96,
          .strip_cols = 256,
          .pass_rows = 96,
          .pass_cols = 256,
          .short_piece = 256,
          .left = &K::left,
          .pack_b = &K::pack_b,
          .pack_a = &K::pack_a,
          .block = &K::block};
}

}  // namespace
}  // namespace megalith::detail

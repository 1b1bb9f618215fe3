// SPDX-License-Identifier: Apache-2.0
// A block of a product, for any arithmetic on vectors. Included by the files that are compiled for one instruction set:
// everything here has internal linkage and nothing of Eigen or of the standard library's code is used, so that the linker
// never puts their instructions into the rest of the program.
#pragma once

#include <utility>

#include "gemm_kernel.h"
#include "vectors.h"

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
struct MicroKernel {
  using Vec = typename Arithmetic::Vec;
  static constexpr int kLanes = Arithmetic::kLanes, kGroup = Arithmetic::kGroup;
  static constexpr Index kCols = kVectors * kLanes;
  /// Elements from k to k + 1 in a panel of rows, and between such panels, which would else share lines of the cache.
  static constexpr Index kStep = 8, kGap = 16;
  static_assert(kRows <= kStep && kStep <= kLanes);

  static void block(const GemmBlock& t) {
    if (t.rows == 1 && t.b_panel == kCols && t.cols % kLanes == 0) return row(t);
    for (Index j = 0; j < t.cols; j += kCols) {
      const Index width = smaller(kCols, t.cols - j);
      const PackedElement* const b = t.b + j / kCols * t.b_panel;
      for (Index r = 0; r < t.rows; r += kRows) {
        const Index height = smaller(kRows, t.rows - r);
        tile_of(height, (width + kLanes - 1) / kLanes)(t, t.a + r / kRows * t.a_panel, b, r, j, width);
      }
    }
  }

  static Index elements_of(Index depth) { return (depth + kGroup - 1) / kGroup; }

  /// A transposed left factor by columns, any other by rows.
  static LeftLayout left(bool transposed, Index elements) {
    return transposed ? LeftLayout{1, kStep, kStep * elements + kGap} : LeftLayout{elements, 1, kRows * elements};
  }

  static void pack_b(const float* b, Index stride, bool transposed, Index cols, Index depth, PackedElement* out,
                     float* sums) {
    const Index elements = elements_of(depth);
    for (Index j = 0; j < cols; j += kCols, out += elements * kCols) {
      const Index width = smaller(kCols, cols - j);
      if (!transposed && width == kCols) {
        float unwanted[kCols] = {};
        pack_rows(b + j, stride, depth, out, sums != nullptr ? sums + j : unwanted);
        continue;
      }
      for (Index i = 0; i < width && sums != nullptr; ++i) {
        float sum = 0;
        for (Index k = 0; k < depth; ++k) sum += b[k * stride + j + i];
        sums[j + i] += sum;
      }
      for (Index v = 0; v < kCols; v += kLanes) {
        const Index lanes = v < width ? smaller(kLanes, width - v) : 0;
        if (transposed) {
          pack_columns(b + (j + v) * stride, stride, lanes, depth, out + v);
        } else {
          for (Index k = 0; k < depth; k += kGroup)
            store(out + k / kGroup * kCols + v, across(b + k * stride + j + v, stride, lanes, depth - k));
        }
      }
    }
  }

  static void pack_a(const float* a, Index stride, bool transposed, Index rows, Index in_row, Index depth,
                     PackedElement* out) {
    const Index elements = elements_of(depth);
    if (transposed) {
      for (Index k = 0; k < depth; k += kGroup, out += kStep) {
        for (Index g = 0; g < kGroup; ++g) fetch(a + (k + g + kAhead) * stride, rows);
        for (Index r = 0; r < rows; r += kRows)
          store(out + r / kRows * (elements * kStep + kGap),
                first_elements(across(a + k * stride + r, stride, smaller(kLanes, in_row - r), depth - k)));
      }
      return;
    }
    for (Index r = 0; r < rows; ++r, out += elements)
      for (Index k = 0; k < depth; k += kLanes * kGroup)
        store(out + k / kGroup, along(a + r * stride + k, smaller(kLanes * kGroup, depth - k)));
  }

 protected:
  using Tile = void (*)(const GemmBlock&, const PackedElement*, const PackedElement*, Index, Index, Index);

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
    if (t.b_panel == kCols && t.b_step > kCols) add_products<true>(sums, t, a, b, lines_to_fetch(t, b, r, j));
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

  /// Rows of a panel lie far apart, where the machine does not fetch ahead by itself.
  static constexpr Index kAhead = 16;  // rows
  /// Into the second cache, a line: the first has no room for what is on its way from memory.
  static void fetch_near(const float* line) { __builtin_prefetch(line, 0, 2); }
  static void fetch(const float* row, Index numbers) {
    for (Index i = 0; i < numbers; i += 16) __builtin_prefetch(row + i);  // a line
  }

  /// Elements along K of `count` numbers, 0 beyond them.
  static Vec along(const float* row, Index count) {
    if (count == kLanes * kGroup) return Arithmetic::along(row);
    float numbers[kLanes * kGroup] = {};
    for (Index i = 0; i < count; ++i) numbers[i] = row[i];
    return Arithmetic::along(numbers);
  }

  /// A whole panel of row-major numbers; the sums of its columns are added to `sums`.
  static void pack_rows(const float* from, Index stride, Index depth, PackedElement* out, float* sums) {
    Vec sum[kVectors] = {};
    for (Index k = 0; k < depth; ++k) {
      const float* const row = from + k * stride;
      fetch(row + kAhead * stride, kCols);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        sum[v] += load<Vec>(row + v * kLanes);
        if (k % kGroup == 0)
          store(out + k / kGroup * kCols + v * kLanes, across(row + v * kLanes, stride, kLanes, depth - k));
      }
    }
    for (int v = 0; v < kVectors; ++v) store(sums + v * kLanes, load<Vec>(sums + v * kLanes) + sum[v]);
  }

  /// The elements at rows `row` and on of `lanes` columns, of which `depth` rows are left; 0 beyond them.
  static Vec across(const float* row, Index stride, Index lanes, Index depth) {
    if (lanes == kLanes && depth >= kGroup) return Arithmetic::across(row, stride);
    float numbers[kGroup * kLanes] = {};
    for (Index g = 0; g < smaller(kGroup, depth); ++g)
      for (Index l = 0; l < lanes; ++l) numbers[g * kLanes + l] = row[g * stride + l];
    return Arithmetic::across(numbers, kLanes);
  }

  static Floats<kStep> first_elements(Vec v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }

  /// One vector of columns that lie in memory as rows.
  static void pack_columns(const float* from, Index stride, Index lanes, Index depth, PackedElement* out) {
    for (Index k = 0; k < depth; k += kLanes * kGroup) {
      const Index count = smaller(kLanes * kGroup, depth - k);
      Vec square[kLanes];
      if (lanes == kLanes && count == kLanes * kGroup) {
#pragma GCC unroll 16
        for (int l = 0; l < kLanes; ++l) square[l] = Arithmetic::along(from + l * stride + k);
      } else {
        for (Index l = 0; l < kLanes; ++l) square[l] = l < lanes ? along(from + l * stride + k, count) : Vec{};
      }
      transpose(square);
      const Index elements = (count + kGroup - 1) / kGroup;
      for (Index e = 0; e < elements; ++e) store(out + e * kCols, square[e]);
      out += kLanes * kCols;
    }
  }
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

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
    if (rows_lie_apart(t) && t.cols % kLanes == 0) {
      if (t.rows == 1) return row(t);
      if (t.rows > kRows && t.rows <= kFewRows) return few_rows(t);
    }
    for (Index j = 0; j < t.cols; j += kCols) {
      const Index width = smaller(kCols, t.cols - j);
      const PackedElement* const b = t.b + j / kCols * t.b_panel;
      for (Index r = 0; r < t.rows; r += kRows) {
        with_size(smaller(kRows, t.rows - r), (width + kLanes - 1) / kLanes,
                  [&]<int R, int N>() { tile<R, N>(t, t.a + r / kRows * t.a_panel, b, r, j, width); });
      }
    }
  }

 private:
  static constexpr Index kPiece = 64;  // rows of b

  /// Whether b lies as it was, its rows farther apart than a panel is wide.
  static bool rows_lie_apart(const GemmBlock& t) { return t.b_panel == kCols && t.b_step > kCols; }

  /// One row, its right factor where it lies. Each number of that is used once, so memory sets the pace, and memory likes
  /// long pieces of few rows: the sums wait in the first cache while kTogether rows pass by.
  static void row(const GemmBlock& t) {
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

  /// What one tile of rows does with a piece of b, some of its rows and one panel's columns.
  struct Piece {
    const PackedElement *a, *b;
    Index b_step, depth;
    PackedElement* copy;          // to which b is copied; null: it is the copy
    const PackedElement* next;    // the next piece, where it lies
    Index first_line, last_line;  // what is fetched of each of its rows
  };

  /// Few rows, but more than a tile's, their right factor where it lies. That comes from beyond the second cache, each of
  /// its rows on a page of its own, where the machine fetches nothing ahead, and many rows do not fit into the lines of a
  /// cache that they share. So it is read in pieces: the first tile of rows copies one, the others take the copy, and
  /// together they fetch the next.
  static void few_rows(const GemmBlock& t) {
    constexpr Index kLines = kCols / 16;
    alignas(64) float sums[kFewRows * kCols];
    alignas(64) PackedElement copy[kPiece * kCols];
    for (Index k = 0; k < smaller(kPiece, t.depth); ++k)
      for (Index l = 0; l < kLines; ++l) fetch_near(t.b + k * t.b_step + l * 16);
    for (Index j = 0; j < t.cols; j += kCols) {
      const Index width = smaller(kCols, t.cols - j);
      for (Index i = 0; i < t.rows * kCols; i += kLanes) store(sums + i, Vec{});
      for (Index k = 0; k < t.depth; k += kPiece) {
        const PackedElement* const b = t.b + k * t.b_step + j;
        const bool more = k + kPiece < t.depth;  // of this panel
        const Index lines = more || j + kCols < t.cols ? kLines : 0;
        for (Index r = 0; r < t.rows; r += kRows) {
          const Index rows = smaller(kRows, t.rows - r);
          const Piece p{.a = t.a + r / kRows * t.a_panel + k * t.a_step,
                        .b = r == 0 ? b : copy,
                        .b_step = r == 0 ? t.b_step : kCols,
                        .depth = smaller(kPiece, t.depth - k),
                        .copy = r == 0 ? copy : nullptr,
                        .next = more ? b + kPiece * t.b_step : t.b + j + kCols,
                        .first_line = (lines * r + t.rows - 1) / t.rows,
                        .last_line = (lines * (r + rows) + t.rows - 1) / t.rows};
          with_size(rows, width / kLanes, [&]<int R, int N>() { add_piece<R, N>(t, p, sums + r * kCols); });
        }
      }
      for (Index r = 0; r < t.rows; ++r)
        for (Index i = 0; i < width; i += kLanes) {
          const Vec sum = load<Vec>(sums + r * kCols + i);
          store(t.c + r * t.c_stride + j + i, t.base == nullptr ? sum : load<Vec>(t.base + r * t.base_stride + j + i) + sum);
        }
    }
  }

  /// to (R, kCols) += the piece's product.
  template <int R, int N>
  static void add_piece(const GemmBlock& t, const Piece& p, float* to) {
    Vec sums[R][N];
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sums[i][n] = load<Vec>(to + i * kCols + n * kLanes);
    const PackedElement* next = p.next;
    const auto fetch_next = [&] {
      for (Index l = p.first_line; l < p.last_line; ++l) fetch_near(next + l * 16);
      next += t.b_step;
    };
    const PackedElement *a = p.a, *b = p.b;
    if (PackedElement* copy = p.copy; copy != nullptr) {
      for (Index k = 0; k < p.depth; ++k, a += t.a_step, b += p.b_step, copy += kCols) {
        fetch_next();
        add_products<true>(sums, a, t.a_row, b, copy);
      }
    } else {
#pragma GCC unroll 4
      for (Index k = 0; k < p.depth; ++k, a += t.a_step, b += p.b_step) {
        fetch_next();
        add_products<false>(sums, a, t.a_row, b, nullptr);
      }
    }
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) store(to + i * kCols + n * kLanes, sums[i][n]);
  }

  /// sums += the product of a column of a and a row of b, which may be copied.
  template <bool kCopy, int R, int N>
  [[gnu::always_inline]] static void add_products(Vec (&sums)[R][N], const PackedElement* a, Index a_row,
                                                  const PackedElement* b, PackedElement* copy) {
    Vec bk[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) {
      bk[n] = load<Vec>(b + n * kLanes);
      if constexpr (kCopy) store(copy + n * kLanes, bk[n]);
    }
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i) {
      const Vec ai = Arithmetic::broadcast(a[i * a_row]);
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) sums[i][n] = Arithmetic::multiply_add(sums[i][n], ai, bk[n]);
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
    if (rows_lie_apart(t)) {
#pragma GCC unroll 4
      for (Index k = 0; k < t.depth; ++k, a += t.a_step, b += t.b_step) {
        for (Index l = 0; l < kCols; l += 16) fetch_near(b + kAhead * t.b_step + l);
        add_products<false>(sums, a, t.a_row, b, nullptr);
      }
    } else {
#pragma GCC unroll 4  // panels come from the second cache 5 % faster so
      for (Index k = 0; k < t.depth; ++k, a += t.a_step, b += t.b_step) add_products<false>(sums, a, t.a_row, b, nullptr);
    }
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

  /// f.operator()<R, N>() with R `rows` and N `vectors`, of at most kRows and kVectors.
  template <class F>
  static void with_size(Index rows, Index vectors, F f) {
    with_size(rows, vectors, f, std::make_index_sequence<kRows * kVectors>());
  }
  template <class F, std::size_t... I>
  static void with_size(Index rows, Index vectors, F& f, std::index_sequence<I...>) {
    static constexpr void (*sizes[])(F&) = {[](F& g) { g.template operator()<I / kVectors + 1, I % kVectors + 1>(); }...};
    sizes[(rows - 1) * kVectors + vectors - 1](f);
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

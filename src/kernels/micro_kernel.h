// SPDX-License-Identifier: Apache-2.0
// A block of a product by register tiles, for any arithmetic on vectors; panels.h packs its operands. Included by the files
// that are compiled for one instruction set: everything here has internal linkage and nothing of Eigen or of the standard
// library's code is used, so that the linker never puts their instructions into the rest of the program.
#pragma once

#include "thin_rows.h"

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
  /// The next elements along the depth, from contiguous numbers.
  static Vec along(const float* row) { return load<Vec>(row); }
  /// One element of each of the next columns, from row-major numbers.
  static Vec across(const float* row, Index) { return load<Vec>(row); }
};

/// c = base + a b by register tiles of kRows x (kVectors * lanes) sums.
template <class Arithmetic, int kRows, int kVectors>
struct MicroKernel : RegisterTile<Arithmetic, kRows, kVectors> {
  using Tile = RegisterTile<Arithmetic, kRows, kVectors>;
  using Tile::kLanes, Tile::kCols, Tile::kPrefetchRows, Tile::b_in_place, Tile::prefetch_to_l2, Tile::with_size;
  using typename Tile::Vec;

  static void block(const GemmBlock& t) {
    if (b_in_place(t) && t.cols % kLanes == 0) {
      using Thin = ThinRows<Arithmetic, kRows, kVectors>;
      if (t.rows == 1) return Thin::one_row(t);
      if (t.rows > kRows && t.rows <= kMaxThinRows) return Thin::few_rows(t);
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
  /// The register tile at row r and column j of the block, `width` of its columns.
  template <int R, int N>
  static void tile(const GemmBlock& t, const PackedElement* a, const PackedElement* b, Index r, Index j, Index width) {
    Vec sums[R][N];
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) sums[i][n] = Vec{};
#pragma GCC unroll 32
    for (int i = 0; i < R; ++i)  // all sums are stored at the end: their cache lines arrive meanwhile
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) __builtin_prefetch(t.c + (r + i) * t.c_stride + j + n * kLanes, 1);
    if (b_in_place(t)) {
#pragma GCC unroll 4
      for (Index k = 0; k < t.depth; ++k, a += t.a_step, b += t.b_step) {
        for (Index l = 0; l < kCols; l += 16) prefetch_to_l2(b + kPrefetchRows * t.b_step + l);
        Tile::template add_products<false>(sums, a, t.a_row, b, nullptr);
      }
    } else {
#pragma GCC unroll 4  // unrolled, panels come from L2 5 % faster
      for (Index k = 0; k < t.depth; ++k, a += t.a_step, b += t.b_step)
        Tile::template add_products<false>(sums, a, t.a_row, b, nullptr);
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
};

template <class Arithmetic, int kRows, int kVectors>
constexpr GemmKernel gemm_kernel(const char* name) {
  using K = MicroKernel<Arithmetic, kRows, kVectors>;
  return {.name = name,
          .panel_rows = kRows,
          .panel_cols = K::kCols,
          .lanes = Arithmetic::kLanes,
          .kc = 512,
          .k_step = Arithmetic::kGroup,
          .k_step_elements = 1,
          .mc = 96,
          .nc = 256,
          .streamed_rows = 96,
          .streamed_cols = 256,
          .min_streamed = 256,
          .left = &K::left,
          .pack_b = &K::pack_b,
          .pack_a = &K::pack_a,
          .block = &K::block};
}

}  // namespace
}  // namespace megalith::detail

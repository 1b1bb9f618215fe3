// SPDX-License-Identifier: Apache-2.0
// A register tile: kRows x (kVectors * lanes) sums of a product, held in registers. What thin_rows.h and micro_kernel.h
// share. As in the latter, everything has internal linkage.
#pragma once

#include <utility>

#include "panels.h"

namespace megalith::detail {
namespace {

template <class Arithmetic, int kRows, int kVectors>
struct RegisterTile : Panels<Arithmetic, kRows, kVectors> {
  using Layout = Panels<Arithmetic, kRows, kVectors>;
  using Layout::kLanes, Layout::kCols;
  using typename Layout::Vec;

  /// Whether b is read in place, its rows farther apart than a panel is wide.
  static bool b_in_place(const GemmBlock& t) { return t.b_panel == kCols && t.b_step > kCols; }

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

  /// f.operator()<R, N>() with R `rows` and N `vectors`, of at most kRows and kVectors.
  template <class F>
  static void with_size(Index rows, Index vectors, F f) {
    dispatch(rows, vectors, f, std::make_index_sequence<kRows * kVectors>());
  }

  /// Prefetches a cache line into L2: L1 has no room for what is on its way from memory.
  static void prefetch_to_l2(const float* line) { __builtin_prefetch(line, 0, 2); }

 private:
  template <class F, std::size_t... I>
  static void dispatch(Index rows, Index vectors, F& f, std::index_sequence<I...>) {
    static constexpr void (*sizes[])(F&) = {[](F& g) { g.template operator()<I / kVectors + 1, I % kVectors + 1>(); }...};
    sizes[(rows - 1) * kVectors + vectors - 1](f);
  }
};

}  // namespace
}  // namespace megalith::detail

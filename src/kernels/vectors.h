// SPDX-License-Identifier: Apache-2.0
// Vectors of floats in the compiler's own terms. As in micro_kernel.h, everything has internal linkage.
#pragma once

#include <cstddef>
#include <utility>

#include "megalith/core/shape.h"

namespace megalith::detail {
namespace {

inline Index smaller(Index a, Index b) { return a < b ? a : b; }

template <int kLanes>
using Floats __attribute__((vector_size(4 * kLanes))) = float;

template <class V>
V load(const float* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <class V>
void store(float* to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// Lanes of the first half (or, with kHalf 1, the second half) of a in the even lanes, of b in the odd ones.
template <int kHalf, class V, std::size_t... I>
V zip(V a, V b, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  return __builtin_shufflevector(a, b, (kHalf * n / 2 + I / 2 + (I % 2) * n)...);
}

/// Transposes a square of vectors by log2(n) perfect shuffles of its rows.
template <class V, int n = static_cast<int>(sizeof(V) / 4)>
[[gnu::always_inline]] inline void transpose(V (&rows)[n]) {
  constexpr auto lanes = std::make_index_sequence<n>();
  V shuffled[n];
  V *from = rows, *to = shuffled;
  for (int stage = n; stage > 1; stage /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; ++i) {
      to[2 * i] = zip<0>(from[i], from[i + n / 2], lanes);
      to[2 * i + 1] = zip<1>(from[i], from[i + n / 2], lanes);
    }
    V* const swap = from;
    from = to;
    to = swap;
  }
  if (from != rows)
    for (int i = 0; i < n; ++i) rows[i] = from[i];
}

}  // namespace
}  // namespace megalith::detail

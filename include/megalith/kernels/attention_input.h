// SPDX-License-Identifier: Apache-2.0
// What one call of attention reads and writes, shared by its two forms.
#pragma once

#include <algorithm>
#include <cmath>

#include "megalith/core/shape.h"

namespace megalith {

/// Queries, keys and values of B sequences and H heads of width D. Row i of sequence b of the queries starts at
/// q + (b * Tq + i) * q_stride, row j of the keys at k + (b * kv_rows + j) * kv_stride; head h
/// is D numbers wide from h * D on. The keys end where the queries end: query i stands at position Tk - Tq + i among them.
template <class S>
struct AttentionInput {
  const S* q = nullptr;
  Index q_stride = 0;
  const S* k = nullptr;
  const S* v = nullptr;
  Index kv_stride = 0;
  Index kv_rows = 0;  // rows between the keys of one sequence and the next: at least Tk
  Index B = 0, H = 0, D = 0, Tq = 0, Tk = 0;
  Index window = 0;  // query at position p sees the keys (p - window, p]; 0: all up to p

  const S* query(Index b, Index h, Index i) const { return q + (b * Tq + i) * q_stride + h * D; }
  const S* key(Index b, Index h, Index j) const { return k + (b * kv_rows + j) * kv_stride + h * D; }
  const S* value(Index b, Index h, Index j) const { return v + (b * kv_rows + j) * kv_stride + h * D; }

  /// The keys that query i sees: [first_key(i), end_key(i)).
  Index first_key(Index i) const { return window > 0 ? std::max<Index>(0, end_key(i) - window) : 0; }
  Index end_key(Index i) const { return Tk - Tq + i + 1; }
  S scale() const { return S(1 / std::sqrt(static_cast<double>(D))); }
};

/// Where the gradients go, laid out as the input.
template <class S>
struct AttentionGradient {
  S* dq = nullptr;
  S* dk = nullptr;
  S* dv = nullptr;

  S* query(const AttentionInput<S>& in, Index b, Index h, Index i) const { return dq + (in.query(b, h, i) - in.q); }
  S* key(const AttentionInput<S>& in, Index b, Index h, Index j) const { return dk + (in.key(b, h, j) - in.k); }
  S* value(const AttentionInput<S>& in, Index b, Index h, Index j) const { return dv + (in.value(b, h, j) - in.v); }
};

/// Query-key pairs of T positions that see at most `window` keys each (0: all), after `past` earlier keys.
inline double attention_pairs(Index T, Index window, Index past = 0) {
  double pairs = 0;
  if (window <= 0)
    return static_cast<double>(T) * static_cast<double>(past) + static_cast<double>(T) * static_cast<double>(T + 1) / 2;
  const Index growing = std::clamp<Index>(window - past, 0, T);  // positions that do not see a whole window yet
  pairs += static_cast<double>(growing) * static_cast<double>(past) +
           static_cast<double>(growing) * static_cast<double>(growing + 1) / 2;
  return pairs + static_cast<double>(T - growing) * static_cast<double>(window);
}

}  // namespace megalith

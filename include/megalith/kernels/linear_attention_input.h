// SPDX-License-Identifier: Apache-2.0
// What linear attention reads and writes.
#pragma once

#include "megalith/kernels/gemm.h"

namespace megalith {

/// Heads side by side in rows of numbers.
template <class S>
struct HeadRows {
  S* data = nullptr;
  Index stride = 0;  // numbers between a row and the next
  Index width = 0;   // numbers of a head

  S* at(Index row, Index head) const { return data + row * stride + head * width; }
  RowMap<S> row(Index i, Index head) const { return row_map(at(i, head), width); }
  /// `count` rows of a head from row `begin` on.
  auto rows(Index begin, Index count, Index head) const {
    using Block = std::conditional_t<std::is_const_v<S>, Operand<std::remove_const_t<S>>, Mat<S>>;
    return Block{at(begin, head), count, width, stride};
  }
};

/// Features, phi of queries and keys, and values of B sequences of T rows, sequence after sequence. A key weighs its value
/// by turned_q turned_k for a query, and its share of the denominator is q k: rotary positions turn what weighs the values
/// and leave the denominators positive (Su et al. 2021, 3.3). Without them both are the same.
template <class S>
struct LinearAttentionInput {
  Index B = 0, T = 0, heads = 1;
  HeadRows<const S> q, k, turned_q, turned_k, v;

  bool turns() const { return turned_q.data != q.data; }
  Index key_width() const { return q.width; }
  Index value_width() const { return v.width; }
};

/// Where the gradients go. Without rotation, those of turned_q and turned_k go to dq and dk too.
template <class S>
struct LinearAttentionGradient {
  HeadRows<S> dq, dk, d_turned_q, d_turned_k, dv;
};

/// Sums over all rows before: s (B,H,Dk,Dv) of turned_k v^T, and z (B,H,Dk) of k. Null: nothing came before, and nothing is
/// carried on.
template <class S>
struct RunningSums {
  S* s = nullptr;
  S* z = nullptr;

  bool open() const { return s != nullptr; }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What one call of attention reads and writes, shared by its two forms.
#pragma once

#include <algorithm>
#include <cmath>

#include "megalith/kernels/attention_mask.h"

namespace megalith {

/// The numbers of an attention, whatever its inputs. Keys are grouped (Ainslie et al. 2023, "GQA"): each head of keys and
/// values serves heads / kv_heads heads of queries that stand side by side.
struct AttentionShape {
  Index heads = 1;        // H, of queries
  Index kv_heads = 1;     // of keys and values; divides heads
  Index key_width = 0;    // numbers of a query or key in each head
  Index value_width = 0;  // numbers of a value in each head
  double scale = 0;       // of the scores; 0: 1/sqrt(key_width)
  AttentionMask mask{};

  Index group() const { return heads / kv_heads; }
  /// The head of keys and values that query head h reads.
  Index key_head(Index h) const { return h / group(); }
  double score_scale() const { return scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(key_width)); }
  /// Numbers of a row of all heads.
  Index query_channels() const { return heads * key_width; }
  Index key_channels() const { return kv_heads * key_width; }
  Index value_channels() const { return kv_heads * value_width; }
  Index out_channels() const { return heads * value_width; }
};

/// Queries, keys and values of B sequences. Row i of sequence b of the queries starts at q + (b * Tq + i) * q_stride, row j
/// of the keys at k + (b * kv_rows + j) * k_stride, likewise the values; heads lie side by side in a row. The keys end where
/// the queries end: query i stands at key Tk - Tq + i. What comes out is (B*Tq, heads * value_width), without gaps.
template <class S>
struct AttentionInput {
  AttentionShape shape{};
  Index B = 0, Tq = 0, Tk = 0;
  const S* q = nullptr;
  const S* k = nullptr;
  const S* v = nullptr;
  Index q_stride = 0, k_stride = 0, v_stride = 0;  // numbers between a row and the next
  Index kv_rows = 0;                               // rows between the keys of one sequence and the next: at least Tk
  Index first_position = 0;                        // of key 0, since the start of the sequence

  /// h counts heads of queries, kh heads of keys and values.
  const S* query(Index b, Index h, Index i) const { return q + (b * Tq + i) * q_stride + h * shape.key_width; }
  const S* key(Index b, Index kh, Index j) const { return k + (b * kv_rows + j) * k_stride + kh * shape.key_width; }
  const S* value(Index b, Index kh, Index j) const { return v + (b * kv_rows + j) * v_stride + kh * shape.value_width; }
  /// Where head h of output row i lies.
  Index out(Index b, Index h, Index i) const { return ((b * Tq + i) * shape.heads + h) * shape.value_width; }

  /// The keys that query i sees: [first_key(i), end_key(i)).
  Index first_key(Index i) const {
    return std::max<Index>(0, shape.mask.first_key(first_position + Tk - Tq + i) - first_position);
  }
  Index end_key(Index i) const { return Tk - Tq + i + 1; }
  /// The first of the queries [begin, end) that sees no key before `key`, and end where all do.
  Index end_query(Index key, Index begin, Index end) const {
    if (begin >= end || first_key(end - 1) < key) return end;
    while (begin < end) {  // first_key never decreases
      const Index middle = begin + (end - begin) / 2;
      if (first_key(middle) < key) begin = middle + 1;
      else end = middle;
    }
    return begin;
  }
};

/// Where the gradients go, laid out as the input.
template <class S>
struct AttentionGradient {
  S* dq = nullptr;
  S* dk = nullptr;
  S* dv = nullptr;

  S* query(const AttentionInput<S>& in, Index b, Index h, Index i) const { return dq + (in.query(b, h, i) - in.q); }
  S* key(const AttentionInput<S>& in, Index b, Index kh, Index j) const { return dk + (in.key(b, kh, j) - in.k); }
  S* value(const AttentionInput<S>& in, Index b, Index kh, Index j) const { return dv + (in.value(b, kh, j) - in.v); }
};

}  // namespace megalith

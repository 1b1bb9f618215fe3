// SPDX-License-Identifier: Apache-2.0
// Causal multi-head attention (Vaswani et al. 2017, eq. 1) without a T x T matrix at any length; keys may be grouped, and
// values as wide as they like. Two forms of the same sums: by rows, for short sequences and for decoding, and in tiles with
// an online softmax (Milakov & Gimelshein 2018; Dao et al. 2022, "FlashAttention") for the rest.
#pragma once

#include "megalith/kernels/attention_rows.h"
#include "megalith/kernels/attention_tiles_backward.h"
#include "megalith/kernels/attention_tiles_forward.h"

namespace megalith {

namespace detail {
/// Below these sizes a row of dot products costs less than a tile.
inline bool attend_by_rows(const AttentionMask& mask, Index Tq, Index Tk) { return mask.most_keys(Tk) <= 16 || Tq <= 4; }
}  // namespace detail

/// o_i = sum_j softmax_j(scale q_i k_j) v_j over the keys j that query i sees. o is (B*Tq, heads * value_width). Each row's
/// log of the sum of exponentials goes to log_sums (B,H,Tq), unless that is null: backward needs nothing else.
template <class S>
void attention_forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) {
  if (detail::attend_by_rows(in.shape.mask, in.Tq, in.Tk)) detail::attention_rows_forward(ctx, in, o, log_sums);
  else detail::attention_tiles_forward(ctx, in, o, log_sums);
}

/// Given do = dL/do: dq is written, dk and dv are added to.
template <class S>
void attention_backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                        const AttentionGradient<S>& out) {
  if (detail::attend_by_rows(in.shape.mask, in.Tq, in.Tk)) detail::attention_rows_backward(ctx, in, o, log_sums, d_o, out);
  else detail::attention_tiles_backward(ctx, in, o, log_sums, d_o, out);
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Causal attention in chunks with a bias for each distance, and with element-wise functions in the place of the softmax
// (Ma et al. 2022, 3.3 and 3.4). Softmax without a bias is what kernels/attention.h computes.
#pragma once

#include <type_traits>

#include "megalith/core/shape_only.h"
#include "megalith/kernels/chunk_attention_tiles.h"

namespace megalith {

/// o_i = sum_j f(tau q_i k_j + b_(i-j)) v_j over the n keys j that query i sees: those of its chunk up to its own. A softmax
/// has tau = 1/sqrt(key_width), or the shape's scale; an element-wise function has tau = 1/n, which is the causal form of
/// the paper's division by the length of the chunk (the authors' code divides each row so).
///
/// The input has one head, and a mask of chunks without overlap. Its keys are all that the queries see.
template <class S>
struct BiasedAttention {
  AttentionFunction function = AttentionFunction::softmax;
  const S* bias = nullptr;  // b of the distances 0, 1, ..., as many as a query sees keys; null: 0
  S* d_bias = nullptr;      // backward adds to it, unless it is null

  /// o is (B*Tq, value_width). The logs of the sums of a softmax go to log_sums (B,Tq), unless that is null; element-wise
  /// functions leave 0 there.
  void forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) const {
    const AttentionWeights<S> weights = weights_of(in);
    if (detail::attend_by_rows(in.shape.mask, in.Tq, in.Tk)) detail::chunk_rows_forward(ctx, in, weights, o, log_sums);
    else detail::ChunkTiles<S>(ctx, in, weights).forward(o, log_sums);
  }

  /// Given d_o = dL/do: dq is written, dk, dv and d_bias are added to. log_sums are those that forward left; o is not read.
  void backward(const Context& ctx, const AttentionInput<S>& in, const S*, const S* log_sums, const S* d_o,
                const AttentionGradient<S>& out) const {
    const AttentionWeights<S> weights = weights_of(in);
    // Each part of the keys sums its own, so that the order of the sum does not depend on threads.
    const Index parts = detail::ChunkParts<S>(in).count(), distances = in.shape.mask.most_keys(in.Tk);
    Frame frame(ctx.scratch());
    S* const sums = d_bias == nullptr ? nullptr : frame.take<S>(parts * distances);
    if (sums != nullptr) row_map(sums, parts * distances).setConstant(S(0));
    if (detail::attend_by_rows(in.shape.mask, in.Tq, in.Tk))
      detail::chunk_rows_backward(ctx, in, weights, log_sums, d_o, out, sums, distances);
    else detail::ChunkTiles<S>(ctx, in, weights).backward(log_sums, d_o, out, sums, distances);
    if (sums == nullptr) return;
    add_row_sums<S>(ctx, parts, row_map(d_bias, distances), [&](Index part, Index first, RowMap<S> total) {
      total += row_map(sums + part * distances + first, total.size());
    });
  }

 private:
  AttentionWeights<S> weights_of(const AttentionInput<S>& in) const { return {function, bias, in.shape.score_scale()}; }
};

/// About how many numbers of scratch a call takes of B sequences of T rows that nothing came before, on all threads
/// together. Over ShapeOnly it tells of float.
template <class S>
double biased_attention_scratch(const AttentionShape& shape, bool with_bias, Index B, Index T, bool backward, int threads) {
  using namespace detail;
  const Index longest = shape.mask.most_keys(T), parts = B * tiles_of(T, shape.mask.size);
  const double sums = backward && with_bias ? static_cast<double>(parts) * static_cast<double>(longest) : 0;
  if (attend_by_rows(shape.mask, T, T)) return sums + static_cast<double>(threads * (backward ? 3 : 2) * longest);
  using Number = std::conditional_t<std::is_same_v<S, ShapeOnly>, float, S>;
  const ChunkTileSizes sizes(chunk_tile_kernel<Number>(Context(), longest), shape, longest);
  const Index tiles = tiles_of(longest, kKeyTile), stride = chunk_score_stride(longest);
  if (!backward)
    return static_cast<double>(parts) * static_cast<double>(tiles * (sizes.keys_t + sizes.values)) +
           threads * static_cast<double>((kChunkQueries + 1) * stride + sizes.left_q + sizes.left_p);
  const double busy = static_cast<double>(std::min<Index>(threads, parts));
  const Index of_keys = tiles * (sizes.keys_t + sizes.values_t + sizes.keys);
  const Index of_queries = sizes.left_q + sizes.left_d + sizes.right_d + sizes.right_q + sizes.left_p;
  return sums + busy * static_cast<double>((2 * kChunkQueries + 1) * stride + of_keys + of_queries);
}

}  // namespace megalith

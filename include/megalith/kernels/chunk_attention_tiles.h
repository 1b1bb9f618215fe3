// SPDX-License-Identifier: Apache-2.0
// Attention in chunks with biases, or with weights that are no softmax, in tiles of queries: each with its scores of all
// keys that it sees, of which a chunk has few enough.
#pragma once

#include "megalith/kernels/attention_tiles.h"
#include "megalith/kernels/chunk_attention.h"

namespace megalith::detail {

/// Queries of a tile. Keys are packed kKeyTile at a time, and those that a tile of queries sees are rounded up to a multiple
/// of kKeyStep, or to all of them.
inline constexpr Index kChunkQueries = 64, kKeyStep = 64;

/// Numbers between the scores of one query and those of the next, which see up to `keys` keys.
inline constexpr Index chunk_score_stride(Index keys) { return tiles_of(keys, kKeyStep) * kKeyStep + 16; }

/// What multiplies the tiles: below some keys, packing the scores costs more than it saves.
template <class S>
TileKernel<S> chunk_tile_kernel(const Context& ctx, Index keys) {
  constexpr Index kFewKeys = 512;
  return {ctx, keys < kFewKeys ? 1 : kKeyStep};
}

/// Numbers of the operands that one call packs of a tile of keys, and of a tile of queries.
struct ChunkTileSizes {
  Index keys_t, values, values_t, keys;            // right operands
  Index left_q, left_d, right_d, right_q, left_p;  // of queries, of the gradient of their output, and of their scores

  template <class S>
  ChunkTileSizes(const TileKernel<S>& kernel, const AttentionShape& shape, Index longest) {
    const Index nk = std::min(kKeyTile, longest), nq = kChunkQueries, Dk = shape.key_width, Dv = shape.value_width;
    keys_t = kernel.right_size(Dk, nk);
    values = kernel.right_size(nk, Dv);
    values_t = kernel.right_size(Dv, nk);
    keys = kernel.right_size(nk, Dk);
    left_q = kernel.left_size(nq, Dk);
    left_d = kernel.left_size(nq, Dv);
    right_d = kernel.right_size(nq, Dv);
    right_q = kernel.right_size(nq, Dk);
    left_p = std::max(kernel.left_size(nq, kKeyTile), kernel.left_size(kKeyTile, nq));
  }
};

/// One call of forward or backward.
template <class S>
class ChunkTiles {
 public:
  ChunkTiles(const Context& ctx, const AttentionInput<S>& in, const AttentionWeights<S>& weights)
      : ctx_(ctx),
        in_(in),
        weights_(weights),
        parts_(in),
        kernel_(chunk_tile_kernel<S>(ctx, in.shape.mask.most_keys(in.Tk))),
        sizes_(kernel_, in.shape, in.shape.mask.most_keys(in.Tk)) {}

  void forward(S* o, S* log_sums) const {
    const Index of_part = tiles_of(in_.shape.mask.most_keys(in_.Tk), kKeyTile) * (sizes_.keys_t + sizes_.values);
    const Index tiles = tiles_of(std::min(in_.Tq, in_.shape.mask.size), kChunkQueries);
    Frame frame(ctx_.scratch());
    S* const packed = frame.take<S>(parts_.count() * of_part);
    ctx_.parallel_for(parts_.count(), [&](Index n, Arena&) {
      const ChunkQueries part = parts_[n];
      for_each_key_tile(part, keys_of(part, part.q_end), [&](Index first, Index) {
        S* const at = packed + n * of_part + first / kKeyTile * (sizes_.keys_t + sizes_.values);
        kernel_.right(key_tile(part, first).transpose(), at);
        kernel_.right(value_tile(part, first), at + sizes_.keys_t);
      });
    });
    ctx_.parallel_for(parts_.count() * tiles, [&](Index task, Arena& arena) {
      // The last queries of a chunk see the most keys: long tasks come first.
      const ChunkQueries part = parts_[task / tiles];
      const Index begin = part.q_begin + (tiles - 1 - task % tiles) * kChunkQueries;
      if (begin < part.q_end) attend(part, begin, packed + task / tiles * of_part, o, log_sums, arena);
    });
  }

  /// One part by one thread, so that its dk and dv are summed in one order. d_bias (parts, distances) has a row for each
  /// part, or is null.
  void backward(const S* log_sums, const S* d_o, const AttentionGradient<S>& out, S* d_bias, Index distances) const {
    ctx_.parallel_for(parts_.count(), [&](Index n, Arena& arena) {
      const ChunkQueries part = parts_[n];
      const Index keys = keys_of(part, part.q_end), of_tile = sizes_.keys_t + sizes_.values_t + sizes_.keys;
      Frame frame(arena);
      S* const packed = frame.take<S>(tiles_of(keys, kKeyTile) * of_tile);
      for_each_key_tile(part, keys, [&](Index first, Index) {
        S* const at = packed + first / kKeyTile * of_tile;
        kernel_.right(key_tile(part, first).transpose(), at);
        kernel_.right(value_tile(part, first).transpose(), at + sizes_.keys_t);
        kernel_.right(key_tile(part, first), at + sizes_.keys_t + sizes_.values_t);
      });
      S* const of_part = d_bias == nullptr ? nullptr : d_bias + n * distances;
      for (Index begin = part.q_begin; begin < part.q_end; begin += kChunkQueries)
        differentiate(part, begin, packed, log_sums, d_o, out, of_part, arena);
    });
  }

 private:
  /// The keys of a part that its queries before query `end` see.
  Index keys_of(const ChunkQueries& part, Index end) const { return in_.end_key(end - 1) - part.k_begin; }
  /// f(first, count) for the tiles of the first `keys` keys of a part, rounded up to whole steps.
  template <class F>
  void for_each_key_tile(const ChunkQueries& part, Index keys, F&& f) const {
    const Index rounded = std::min(keys_of(part, part.q_end), tiles_of(keys, kKeyStep) * kKeyStep);
    for (Index first = 0; first < rounded; first += kKeyTile) f(first, std::min(kKeyTile, rounded - first));
  }
  /// All keys, and all values, of the tile that begins with key number `first` of a part.
  Operand<S> key_tile(const ChunkQueries& part, Index first) const {
    return key_rows(in_, part.b, 0, part.k_begin + first, std::min(kKeyTile, keys_of(part, part.q_end) - first));
  }
  Operand<S> value_tile(const ChunkQueries& part, Index first) const {
    return value_rows(in_, part.b, 0, part.k_begin + first, std::min(kKeyTile, keys_of(part, part.q_end) - first));
  }

  /// Queries [begin, begin + kChunkQueries) of a part.
  void attend(const ChunkQueries& part, Index begin, const S* packed, S* o, S* log_sums, Arena& arena) const {
    const Index nq = std::min(kChunkQueries, part.q_end - begin), keys = keys_of(part, begin + nq);
    const Index stride = chunk_score_stride(keys), of_tile = sizes_.keys_t + sizes_.values;
    Frame frame(arena);
    S *const scores = frame.take<S>(kChunkQueries * stride), *const spare = frame.take<S>(stride);
    const PackedLeft<S> q = kernel_.left(query_rows(in_, part.b, 0, begin, nq), frame.take<S>(sizes_.left_q));
    S* const left = frame.take<S>(sizes_.left_p);
    for_each_key_tile(part, keys, [&](Index first, Index count) {
      const PackedRight<S> k_t =
          kernel_.packed_right(key_tile(part, first).transpose(), packed + first / kKeyTile * of_tile);
      kernel_.gemm(q, k_t.first_cols(count), {scores + first, nq, count, stride}, Into::overwrite);
    });
    for (Index i = begin; i < begin + nq; ++i) {
      S* const row = scores + (i - begin) * stride;
      const Index seen = in_.end_key(i) - part.k_begin;
      S log_sum{};
      weights_.forward(row_map(row, seen), spare, log_sum);
      if (log_sums != nullptr) log_sums[part.b * in_.Tq + i] = log_sum;
      clear_outside(row, 0, seen, stride);
    }
    const Mat<S> out(o + in_.out(part.b, 0, begin), nq, in_.shape.value_width, in_.shape.value_width);
    for_each_key_tile(part, keys, [&](Index first, Index count) {
      const PackedRight<S> v =
          kernel_.packed_right(value_tile(part, first), packed + first / kKeyTile * of_tile + sizes_.keys_t);
      const Mat<S> p(scores + first, nq, count, stride);
      kernel_.gemm(kernel_.left(p, left), v.rows(0, count), out, first == 0 ? Into::overwrite : Into::add);
    });
  }

  void differentiate(const ChunkQueries& part, Index begin, const S* packed, const S* log_sums, const S* d_o,
                     const AttentionGradient<S>& out, S* d_bias, Arena& arena) const {
    const Index nq = std::min(kChunkQueries, part.q_end - begin), keys = keys_of(part, begin + nq);
    const Index Dk = in_.shape.key_width, Dv = in_.shape.value_width, stride = chunk_score_stride(keys);
    const Index of_tile = sizes_.keys_t + sizes_.values_t + sizes_.keys;
    Frame frame(arena);
    S *const p = frame.take<S>(kChunkQueries * stride), *const ds = frame.take<S>(kChunkQueries * stride);
    S* const spare = frame.take<S>(stride);
    const Operand<S> q = query_rows(in_, part.b, 0, begin, nq), d(d_o + in_.out(part.b, 0, begin), nq, Dv, Dv);
    const PackedLeft<S> left_q = kernel_.left(q, frame.take<S>(sizes_.left_q)),
                        left_d = kernel_.left(d, frame.take<S>(sizes_.left_d));
    const PackedRight<S> right_q = kernel_.right(q, frame.take<S>(sizes_.right_q)),
                         right_d = kernel_.right(d, frame.take<S>(sizes_.right_d));
    S* const left = frame.take<S>(sizes_.left_p);
    // forward was: O = P V, P = f(S), S = Q K^T. So dP = dO V^T, dS = f'(S) dP, dV += P^T dO, dQ = dS K, dK += dS^T Q.
    for_each_key_tile(part, keys, [&](Index first, Index count) {
      const S* const at = packed + first / kKeyTile * of_tile;
      const PackedRight<S> k_t = kernel_.packed_right(key_tile(part, first).transpose(), at),
                           v_t = kernel_.packed_right(value_tile(part, first).transpose(), at + sizes_.keys_t);
      kernel_.gemm(left_q, k_t.first_cols(count), {p + first, nq, count, stride}, Into::overwrite);
      kernel_.gemm(left_d, v_t.first_cols(count), {ds + first, nq, count, stride}, Into::overwrite);
    });
    for (Index i = begin; i < begin + nq; ++i) {
      S *const p_row = p + (i - begin) * stride, *const ds_row = ds + (i - begin) * stride;
      const Index seen = in_.end_key(i) - part.k_begin;
      weights_.backward(row_map(p_row, seen), row_map(ds_row, seen), spare, log_sums[part.b * in_.Tq + i], d_bias);
      clear_outside(p_row, 0, seen, stride);
      clear_outside(ds_row, 0, seen, stride);
    }
    const Mat<S> dq(out.query(in_, part.b, 0, begin), nq, Dk, in_.q_stride);
    for_each_key_tile(part, keys, [&](Index first, Index count) {
      const S* const at = packed + first / kKeyTile * of_tile + sizes_.keys_t + sizes_.values_t;
      const PackedRight<S> k = kernel_.packed_right(key_tile(part, first), at);
      const Mat<S> p_tile(p + first, nq, count, stride), ds_tile(ds + first, nq, count, stride);
      const Mat<S> dk(out.key(in_, part.b, 0, part.k_begin + first), count, Dk, in_.k_stride),
          dv(out.value(in_, part.b, 0, part.k_begin + first), count, Dv, in_.v_stride);
      kernel_.gemm(kernel_.left(transposed<S>(p_tile), left), right_d, dv, Into::add);
      kernel_.gemm(kernel_.left(ds_tile, left), k.rows(0, count), dq, first == 0 ? Into::overwrite : Into::add);
      kernel_.gemm(kernel_.left(transposed<S>(ds_tile), left), right_q, dk, Into::add);
    });
  }

  const Context& ctx_;
  const AttentionInput<S>& in_;
  const AttentionWeights<S>& weights_;
  const ChunkParts<S> parts_;
  const TileKernel<S> kernel_;
  const ChunkTileSizes sizes_;
};

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Attention in tiles: what forward and backward share. The scores exist one tile at a time.
#pragma once

#include <numeric>

#include "megalith/kernels/attention_input.h"
#include "megalith/kernels/math.h"
#include "megalith/kernels/tile_gemm.h"

namespace megalith::detail {

/// Rows of scores this long are worth vector loops.
inline constexpr Index kQueryTile = 256, kKeyTile = 128;
/// Where the diagonal crosses a tile, this many of its rows are taken at a time, with the keys that they see.
inline constexpr Index kDiagonalStep = 64;
/// Room beyond the scores of a row: rows at a distance of a power of two would share few lines of L1.
inline constexpr Index kScoreStride = kKeyTile + 16;

inline constexpr Index tiles_of(Index rows, Index tile) { return (rows + tile - 1) / tile; }

/// Rows [begin, begin + count) of one head as an operand.
template <class S>
Operand<S> query_rows(const AttentionInput<S>& in, Index b, Index h, Index begin, Index count) {
  return {in.query(b, h, begin), count, in.shape.key_width, in.q_stride};
}
template <class S>
Operand<S> key_rows(const AttentionInput<S>& in, Index b, Index kh, Index begin, Index count) {
  return {in.key(b, kh, begin), count, in.shape.key_width, in.k_stride};
}
template <class S>
Operand<S> value_rows(const AttentionInput<S>& in, Index b, Index kh, Index begin, Index count) {
  return {in.value(b, kh, begin), count, in.shape.value_width, in.v_stride};
}

/// Scores of queries [begin, end) for keys [kj, kj + nk): query i sees the columns [first(i), last(i)).
template <class S>
struct ScoreTile {
  const AttentionInput<S>& in;
  Index kj, nk, begin, end;

  Index rows() const { return end - begin; }
  Index first(Index i) const { return std::max<Index>(0, in.first_key(i) - kj); }
  Index last(Index i) const { return std::min(nk, in.end_key(i) - kj); }
};

/// Calls f(tile) for the scores of keys [kj, kj + kKeyTile) that some of the queries [qi, qi + nq) see: in steps of
/// kDiagonalStep queries with the keys that they see, rounded up to a multiple of that, and in one tile from there on where
/// these are all keys.
template <class S, class F>
void for_each_score_tile(const AttentionInput<S>& in, Index qi, Index nq, Index kj, F&& f) {
  const Index nk = std::min(kKeyTile, in.Tk - kj);
  const Index before = in.Tk - in.Tq;  // keys before the first query's own
  Index begin = std::max(qi, kj - before);
  const Index end = in.end_query(kj + nk, begin, qi + nq);
  for (Index next; begin < end; begin = next) {
    const auto keys_of = [&](Index i) {
      return std::min(nk, (in.end_key(i) - kj + kDiagonalStep - 1) / kDiagonalStep * kDiagonalStep);
    };
    next = keys_of(begin) == nk ? end : std::min(end, begin + kDiagonalStep);
    f(ScoreTile<S>{in, kj, keys_of(next - 1), begin, next});
  }
}

/// What multiplies the tiles of one call. Its right operands begin where tiles of queries do, and how many keys stand before
/// the first query decides at which multiples that is. With few keys, packing the scores costs more than it saves: then the
/// kernel that takes operands in place is asked for.
template <class S>
TileKernel<S> tile_kernel(const Context& ctx, const AttentionInput<S>& in) {
  constexpr Index kFewKeys = 512;
  return {ctx, in.Tk < kFewKeys ? 1 : std::gcd(kDiagonalStep, in.Tk - in.Tq)};
}

/// Numbers [0, first) and [last, size) of a row become 0.
template <class S>
void clear_outside(S* row, Index first, Index last, Index size) {
  std::fill(row, row + first, S(0));
  std::fill(row + last, row + size, S(0));
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// What the inputs of both decoders are made of, each piece with its gradient.
#pragma once

#include "megalith/models/byte_history.h"

namespace megalith {

namespace detail {
inline constexpr Index kInputColumnsPerTask = 32;
}

/// Whether position `row` of a stack is the first of a sequence, or of a chunk of `chunk` positions (0: there are none).
inline bool is_first_row(Index row, Index chunk) { return (chunk > 0 ? row % chunk : row) == 0; }

/// ids (B, rows * P) are the patches that positions [first, first + rows) of a stack read. Where the first input of a
/// decoder is the pad, those that begin a sequence or a chunk read that instead, whatever came before.
inline void pad_first_rows(FirstInput first_input, Index first, Index chunk, ByteOrNone* ids, Index B, Index rows, Index P) {
  if (first_input != FirstInput::pad) return;
  for (Index i = 0; i < rows; ++i)
    if (is_first_row(first + i, chunk))
      for (Index b = 0; b < B; ++b) std::fill_n(ids + (b * rows + i) * P, P, kNoByte);
}

/// The patches a stack reads when it predicts bytes (B,T): out[b,t] = byte t - P, before which stands what the history saw
/// last.
inline const ByteOrNone* patches_before(Bytes bytes, const ByteHistory& history, FirstInput first_input, Index chunk,
                                        Frame& frame) {
  const Index P = history.patch;
  ByteOrNone* const ids = frame.take<ByteOrNone>(bytes.B * bytes.T);
  for (Index b = 0; b < bytes.B; ++b) {
    std::copy_n(history.last.data() + b * P, P, ids + b * bytes.T);
    std::copy_n(bytes.row(b), bytes.T - P, ids + b * bytes.T + P);
  }
  pad_first_rows(first_input, history.rows_done, chunk, ids, bytes.B, bytes.T / P, P);
  return ids;
}

/// The u bytes before patch number `patch` of bytes (B,T), counted through all B sequences; before the first of a sequence
/// stands what the history saw last.
inline void bytes_before_patch(Bytes bytes, const ByteHistory& history, Index patch, Index u, ByteOrNone* out) {
  const Index P = history.patch, t = patch * P % bytes.T;
  if (t == 0) std::copy_n(history.last.data() + (patch * P / bytes.T + 1) * P - u, u, out);
  else std::copy_n(bytes.data + patch * P - u, u, out);
}

/// Rows of x (B,T,C) whose id is kNoByte become `pad`, a vector of `period` such rows that follow one another.
template <class S>
void fill_pads(const Context& ctx, const ByteOrNone* ids, Seq<S> x, const Tensor<S>& pad) {
  const Index period = pad.size() / x.C;
  ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i)
      if (ids[i] == kNoByte) row_map(x.row(i), x.C) = row_map(pad.data() + i % x.T % period * x.C, x.C);
  });
}
template <class S>
void fill_pads_backward(const Context& ctx, const ByteOrNone* ids, Seq<const S> dx, Tensor<S>& dpad) {
  const Index period = dpad.size() / dx.C;
  ctx.parallel_ranges(dx.C, detail::kInputColumnsPerTask, [&](Index begin, Index end, Arena&) {
    for (Index i = 0; i < dx.row_count(); ++i)
      if (ids[i] == kNoByte)
        row_map(dpad.data() + i % dx.T % period * dx.C + begin, end - begin) += row_map(dx.row(i) + begin, end - begin);
  });
}

/// Of bytes (B,T), the last `count` of each row, and where their losses go: all in place where they are all.
template <class S>
struct LastBytes {
  Bytes bytes;
  S* losses;  // (B, count)

  LastBytes(Bytes all, Index count, S* losses_of_all, Frame& frame) : bytes(all), losses(losses_of_all) {
    if (count == all.T) return;
    std::uint8_t* const copy = frame.take<std::uint8_t>(all.B * count);
    for (Index b = 0; b < all.B; ++b) std::copy_n(all.row(b) + all.T - count, count, copy + b * count);
    bytes = {copy, all.B, count};
    losses = frame.take<S>(all.B * count);
  }
  /// Writes the losses of `all`: 0 before the last bytes.
  void put_losses(Bytes all, S* losses_of_all) const {
    if (bytes.T == all.T) return;
    for (Index b = 0; b < all.B; ++b) {
      S* const row = losses_of_all + b * all.T;
      std::fill_n(row, all.T - bytes.T, S(0));
      std::copy_n(losses + b * bytes.T, bytes.T, row + all.T - bytes.T);
    }
  }
};

/// x[b,t] += table[first + t] for each t with first + t >= 0 whose id is not kNoByte (ids may be null: all rows).
template <class S>
void add_positions(const Context& ctx, Seq<S> x, const Tensor<S>& table, Index first, const ByteOrNone* ids) {
  assert(first + x.T <= table.rows());
  ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      const Index p = first + i % x.T;
      if (p >= 0 && (ids == nullptr || ids[i] != kNoByte)) row_map(x.row(i), x.C) += row_map(table.row(p), x.C);
    }
  });
}
template <class S>
void add_positions_backward(const Context& ctx, Seq<const S> dx, Tensor<S>& dtable, Index first, const ByteOrNone* ids) {
  ctx.parallel_ranges(dx.C, detail::kInputColumnsPerTask, [&](Index begin, Index end, Arena&) {
    for (Index i = 0; i < dx.row_count(); ++i) {
      const Index p = first + i % dx.T;
      if (p >= 0 && (ids == nullptr || ids[i] != kNoByte))
        row_map(dtable.row(p) + begin, end - begin) += row_map(dx.row(i) + begin, end - begin);
    }
  });
}

/// x[b,k] += condition[b, first + k], where there is a condition. Of a stack that goes on through chunks the condition's
/// rows count from the chunk that x begins in.
template <class S>
void add_condition(const Context& ctx, Seq<S> x, Seq<const S> condition, Index first, Index chunk) {
  if (condition.data == nullptr) return;
  if (chunk > 0) first %= chunk;
  assert(condition.C == x.C && condition.B == x.B && first + x.T <= condition.T);
  ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i)
      row_map(x.row(i), x.C) += row_map(condition.row(i / x.T * condition.T + first + i % x.T), x.C);
  });
}
/// Its gradient when the whole condition was added: dcondition = dx.
template <class S>
void add_condition_backward(const Context& ctx, Seq<const S> dx, Seq<S> dcondition) {
  if (dcondition.data == nullptr) return;
  assert(dcondition.size() == dx.size());
  ctx.parallel_rows(dx.row_count(), dx.C, [&](Index begin, Index end, Arena&) {
    row_map(dcondition.row(begin), (end - begin) * dx.C) = row_map(dx.row(begin), (end - begin) * dx.C);
  });
}

}  // namespace megalith

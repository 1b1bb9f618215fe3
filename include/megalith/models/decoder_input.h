// SPDX-License-Identifier: Apache-2.0
// What the inputs of both decoders are made of, each piece with its gradient.
#pragma once

#include "megalith/models/byte_history.h"

namespace megalith {

namespace detail {
inline constexpr Index kInputColumnsPerTask = 32;
}

/// Lets the first patch of each row of ids (B, stride) stand for nothing: its place gets the pad.
inline void pad_first_patch(ByteOrNone* ids, Index B, Index stride, Index P) {
  for (Index b = 0; b < B; ++b) std::fill_n(ids + b * stride, P, kNoByte);
}

/// The patches a stack reads when it predicts bytes (B,T): out[b,t] = byte t - P, before which stands what the history saw
/// last.
inline const ByteOrNone* patches_before(Bytes bytes, const ByteHistory& history, FirstInput first_input, Frame& frame) {
  const Index P = history.patch;
  ByteOrNone* const ids = frame.take<ByteOrNone>(bytes.B * bytes.T);
  for (Index b = 0; b < bytes.B; ++b) {
    std::copy_n(history.last.data() + b * P, P, ids + b * bytes.T);
    std::copy_n(bytes.row(b), bytes.T - P, ids + b * bytes.T + P);
  }
  if (history.starts_with_pad(first_input)) pad_first_patch(ids, bytes.B, bytes.T, P);
  return ids;
}

/// The u bytes before each of the patches of `step` bytes of (B,T), as B*T/step rows: what the first position inside the
/// patch may read. `last` (B, step) stands before the first.
inline void bytes_before_patches(Bytes bytes, const ByteOrNone* last, Index step, Index u, ByteOrNone* out) {
  for (Index b = 0; b < bytes.B; ++b) {
    out = std::copy_n(last + (b + 1) * step - u, u, out);
    for (Index t = step; t < bytes.T; t += step) out = std::copy_n(bytes.row(b) + t - u, u, out);
  }
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

/// x[b,k] += condition[b, first + k], where there is a condition.
template <class S>
void add_condition(const Context& ctx, Seq<S> x, Seq<const S> condition, Index first) {
  if (condition.data == nullptr) return;
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

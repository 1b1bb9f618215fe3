// SPDX-License-Identifier: Apache-2.0
// What attention carries from earlier rows to later ones: their keys and values.
#pragma once

#include <algorithm>

#include "megalith/nn/module.h"

namespace megalith {

/// The last keys and values of B sequences, oldest first. With a window there is room for two windows, so that old rows are
/// moved away once in a window; without one, for every position that will come.
template <class S>
struct AttentionState {
  Tensor<S> kv;        // (B, capacity, 2C): a row is the keys of all heads, then the values. Empty when closed
  Index window = 0;    // rows that later positions can still see, with their own; 0: all
  Index kept = 0;      // rows in use
  Index position = 0;  // of the next row since the start of the sequence

  AttentionState() = default;
  template <class Attention>
  AttentionState(const Attention& m, Index B, Index room = 0) : window(m.window) {
    if (room <= 0) return;
    const Index rows = window > 0 ? std::min(room, 2 * window) : room;
    kv = Tensor<S>({B, rows, 2 * m.in_channels()});
  }

  bool open() const { return !kv.empty(); }
  Index capacity() const { return kv.empty() ? 0 : kv.dims()[1]; }
  Index batch() const { return kv.dims()[0]; }
  S* row(Index b, Index j) { return kv.data() + (b * capacity() + j) * kv.cols(); }
  const S* row(Index b, Index j) const { return kv.data() + (b * capacity() + j) * kv.cols(); }

  /// Forgets everything that came before; the room stays.
  void reset() { kept = position = 0; }

  /// Adds the keys and values of rows (B,T,3C), for which there is room: kept + T <= capacity().
  void append(const Context& ctx, Seq<const S> rows) {
    const Index C2 = kv.cols();
    assert(kept + rows.T <= capacity() && rows.B == batch());
    ctx.parallel_ranges(rows.B, 1, [&](Index b, Index, Arena&) {
      for (Index t = 0; t < rows.T; ++t) row_map(row(b, kept + t), C2) = row_map(rows.row(b * rows.T + t) + C2 / 2, C2);
    });
    kept += rows.T;
    position += rows.T;
  }

  /// Whether T more rows fit, after forgetting rows that no later position can see.
  bool make_room(const Context& ctx, Index T) {
    if (kept + T > capacity() && visible(kept) < kept) {
      const Index stay = visible(kept);
      ctx.parallel_ranges(batch(), 1,
                          [&](Index b, Index, Arena&) { std::copy(row(b, kept - stay), row(b, kept), row(b, 0)); });
      kept = stay;
    }
    return kept + T <= capacity();
  }

  /// Keeps of `keys` rows (B, keys, 2C), of which the last `added` are new, those that later positions can still see.
  void keep_last(const Context& ctx, const S* from, Index keys, Index added) {
    const Index stay = visible(keys);
    assert(stay <= capacity());
    ctx.parallel_ranges(batch(), 1, [&](Index b, Index, Arena&) {
      std::copy_n(from + (b * keys + keys - stay) * kv.cols(), stay * kv.cols(), row(b, 0));
    });
    kept = stay;
    position += added;
  }

  /// For a gradient: to (B, keys, 2C) gets this object's rows at its end, and 0 before them.
  void scatter_last(const Context& ctx, S* to, Index keys) const {
    const Index C2 = kv.cols();
    ctx.parallel_ranges(batch(), 1, [&](Index b, Index, Arena&) {
      S* const begin = to + b * keys * C2;
      std::fill_n(begin, (keys - kept) * C2, S(0));
      std::copy_n(row(b, 0), kept * C2, begin + (keys - kept) * C2);
    });
  }

  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    if ((state.open() || ...)) f(Name{&at, "kv"}, state.kv...);
  }

 private:
  /// Of `keys` rows, how many the next position can still see: window - 1 of them.
  Index visible(Index keys) const { return window > 0 ? std::min(keys, window - 1) : keys; }
};

}  // namespace megalith

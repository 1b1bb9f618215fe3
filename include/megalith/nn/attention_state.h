// SPDX-License-Identifier: Apache-2.0
// What attention carries from earlier rows to later ones: their keys and values.
#pragma once

#include <algorithm>

#include "megalith/kernels/attention_input.h"
#include "megalith/nn/module.h"

namespace megalith {

/// The last keys and values of B sequences, oldest first: those that later positions may still see, and older ones until
/// their room is needed (AttentionMask::state_rows).
template <class S>
struct AttentionState {
  Tensor<S> kv;          // (B, capacity, R): a row is the keys of all key heads, then their values. Empty when closed
  AttentionMask mask{};  // of the attention that the state is for
  Index kept = 0;        // rows in use
  Index position = 0;    // of the next row since the start of the sequence

  AttentionState() = default;
  AttentionState(const AttentionShape& shape, Index B, Index room = 0) : mask(shape.mask) {
    if (room > 0) kv = Tensor<S>({B, mask.state_rows(room), shape.key_channels() + shape.value_channels()});
  }
  /// Of a module that is attention, or has one in its core.
  template <class M>
  AttentionState(const M& m, Index B, Index room = 0) : AttentionState(shape_of(m), B, room) {}

  bool open() const { return !kv.empty(); }
  Index capacity() const { return kv.empty() ? 0 : kv.dims()[1]; }
  Index batch() const { return kv.dims()[0]; }
  S* row(Index b, Index j) { return kv.data() + (b * capacity() + j) * kv.cols(); }
  const S* row(Index b, Index j) const { return kv.data() + (b * capacity() + j) * kv.cols(); }
  /// The position of row 0.
  Index first_position() const { return position - kept; }

  /// Whether the counters are those of a sequence of which `rows` rows were read.
  bool valid(Index rows) const {
    if (!open()) return kept == 0 && position == 0;
    return position == rows && kept <= std::min(rows, capacity()) && kept >= std::min(rows, mask.visible_before(rows));
  }

  /// Forgets everything that came before; the room stays. The next row is number `rows`.
  void reset(Index rows = 0) {
    kept = 0;
    position = rows;
  }

  /// Adds the keys and values, with which each of the rows (B,T,C) ends; there is room for them: kept + T <= capacity().
  void append(const Context& ctx, Seq<const S> rows) {
    const Index R = kv.cols();
    assert(kept + rows.T <= capacity() && rows.B == batch());
    ctx.parallel_ranges(rows.B, 1, [&](Index b, Index, Arena&) {
      for (Index t = 0; t < rows.T; ++t) row_map(row(b, kept + t), R) = row_map(rows.row(b * rows.T + t) + rows.C - R, R);
    });
    kept += rows.T;
    position += rows.T;
  }

  /// Whether T more rows fit, after forgetting rows that no later position can see.
  bool make_room(const Context& ctx, Index T) {
    const Index stay = visible(kept);
    if (kept + T > capacity() && stay < kept) {
      ctx.parallel_ranges(batch(), 1,
                          [&](Index b, Index, Arena&) { std::copy(row(b, kept - stay), row(b, kept), row(b, 0)); });
      kept = stay;
    }
    return kept + T <= capacity();
  }

  /// Keeps of `keys` rows (B, keys, R), of which the last `added` are new, those that later positions can still see.
  void keep_last(const Context& ctx, const S* from, Index keys, Index added) {
    position += added;
    kept = visible(keys);
    assert(kept <= capacity());
    ctx.parallel_ranges(batch(), 1, [&](Index b, Index, Arena&) {
      std::copy_n(from + (b * keys + keys - kept) * kv.cols(), kept * kv.cols(), row(b, 0));
    });
  }

  /// For a gradient: to (B, keys, R) gets this object's rows at its end, and 0 before them.
  void scatter_last(const Context& ctx, S* to, Index keys) const {
    const Index R = kv.cols();
    assert(kept <= keys);
    ctx.parallel_ranges(batch(), 1, [&](Index b, Index, Arena&) {
      S* const begin = to + b * keys * R;
      std::fill_n(begin, (keys - kept) * R, S(0));
      std::copy_n(row(b, 0), kept * R, begin + (keys - kept) * R);
    });
  }

  /// For a gradient: of (B, past + T, R) the first `past` rows become this object's, and each of the others the end of a row
  /// of d_rows (B, T, C).
  void split(const Context& ctx, const S* d_kv, Index past, Seq<S> d_rows) {
    const Index R = kv.cols(), keys = past + d_rows.T;
    kept = past;
    ctx.parallel_rows(d_rows.B * keys, R, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / keys, j = i % keys;
        S* const to = j < past ? row(b, j) : d_rows.row(b * d_rows.T + j - past) + d_rows.C - R;
        row_map(to, R) = row_map(d_kv + i * R, R);
      }
    });
  }

  /// Calls f(name, kv...): what has a gradient.
  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    if ((state.open() || ...)) f(Name{&at, "kv"}, state.kv...);
  }
  /// Calls f(name, field...) for every field: kv of open states, and the counters, which are numbers of type Index.
  template <class F, class... St>
  static void visit_all(const Name& at, F&& f, St&... state) {
    visit(at, f, state...);
    f(Name{&at, "kept"}, state.kept...);
    f(Name{&at, "position"}, state.position...);
  }

 private:
  template <class M>
  static const AttentionShape& shape_of(const M& m) {
    if constexpr (requires { m.core; }) return m.core.shape;
    else return m.shape;
  }
  /// Of `keys` rows, how many the next position can still see.
  Index visible(Index keys) const { return std::min(keys, mask.visible_before(position)); }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Reading and generating with a decoder over patches, from anywhere inside a patch, and what it carries on the way.
#pragma once

#include "megalith/models/byte_history.h"
#include "megalith/models/patch_embedder.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// What a decoder over patches carries: the states of its embedder and its stack, and where it is inside a patch.
template <class Decoder>
struct PatchedState {
  using S = typename Decoder::Scalar;
  using Inner = typename Decoder::Inner;

  ByteHistory history;
  typename PatchEmbedder<S>::State embedder;
  typename Stack<typename Decoder::Block>::State stack;
  Tensor<S> condition;          // (B, P/u, width of inner) of the unfinished patch; open states only
  typename Inner::State inner;  // of the unfinished patch, or of all that came; open states only
  Index inner_room = 0;         // bytes; 0 where the inner decoder carries nothing from patch to patch

  PatchedState() = default;
  PatchedState(const Decoder& m, Index B, Index room = 0)
      : history(make_history<S>(B, m.patch_size())),
        embedder(m.embedder, B, room),
        stack(m.stack, B, (room + m.patch_size() - 1) / m.patch_size()) {
    if (room == 0) return;
    condition = Tensor<S>({B, m.condition.rows_per_patch, m.inner.width()});
    if (m.chained()) inner_room = room;
    inner = typename Inner::State(m.inner, B, m.chained() ? room : m.patch_size());
  }
  void begin(const ByteOrNone* previous, Index position = 0) {
    history.begin(previous, position);
    embedder.reset();
    stack.reset(position / history.patch);
    if (!carries_inner()) return;
    std::vector<ByteOrNone>& last = inner.history.last;
    const Index u = inner.history.patch;
    for (Index b = 0; b < history.B; ++b)
      std::copy_n(history.last.data() + (b + 1) * history.patch - u, u, last.data() + b * u);
    inner.begin(last.data(), position);
  }
  /// Whether the inner decoder goes on from one patch to the next, through this state.
  bool carries_inner() const { return inner_room > 0; }
  /// The inner decoder's state as it is now, where it is carried.
  typename Inner::State carried() const { return carries_inner() ? inner : typename Inner::State(); }
  /// A state of the inner decoder for n of the sequences, where it is carried.
  typename Inner::State inner_of(const Decoder& m, Index n) const {
    return carries_inner() ? typename Inner::State(m.inner, n, inner_room) : typename Inner::State();
  }
  /// Whether there is a patch that the inner decoder is inside of.
  bool open() const { return history.rows_done > history.position / history.patch; }
  /// Whether next() was called for a byte that did not come yet.
  bool ahead() const { return open() && inner.ahead(); }
  bool valid() const {
    if (!history.valid() || !stack.valid(history.rows_done) || (history.unfinished() > 0 && !open())) return false;
    if (carries_inner() && (!inner.valid() || inner.history.position != history.position)) return false;
    if (!open()) return !carries_inner() || !inner.ahead();
    // A patch that was opened for its first byte is left at once: next() goes on inside.
    return inner.valid() && (carries_inner() || inner.history.position == history.unfinished()) &&
           (history.unfinished() > 0 || inner.ahead());
  }
  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    PatchEmbedder<S>::State::visit(Name{&at, "embedder"}, f, state.embedder...);
    decltype(PatchedState::stack)::visit(Name{&at, "stack"}, f, state.stack...);
    if ((state.carries_inner() || ...)) Inner::State::visit(Name{&at, "inner"}, f, state.inner...);
  }
  template <class F, class St>
  static void visit_all(const Name& at, F&& f, St& state) {
    ByteHistory::visit_all(Name{&at, "history"}, f, state.history);
    PatchEmbedder<S>::State::visit_all(Name{&at, "embedder"}, f, state.embedder);
    decltype(PatchedState::stack)::visit_all(Name{&at, "stack"}, f, state.stack);
    if (state.condition.empty()) return;
    f(Name{&at, "condition"}, state.condition);
    Inner::State::visit_all(Name{&at, "inner"}, f, state.inner);
  }
};

/// The streaming half of Patched. The stack reads whole patches, many at a time. The inner decoder knows the unfinished
/// patch, under the condition that the stack gave when the patch was opened, and of the patches before what it carries.
template <class Decoder>
struct PatchedGeneration {
  using S = typename Decoder::Scalar;
  using State = typename Decoder::State;

  static void read(const Decoder& m, const Context& ctx, Bytes bytes, Seq<const S> outer, State& state) {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    const Index count = h.pending_count(bytes.T), whole = (h.position + bytes.T) / h.patch,
                rest = (h.position + bytes.T) % h.patch;
    ByteOrNone* const pending = frame.take<ByteOrNone>(bytes.B * count);
    h.pending_bytes(bytes, pending);
    // Positions of the stack up to the successor of the last whole patch, which only an unfinished patch needs now.
    const Index before = h.rows_done, rows = whole + (rest > 0 ? 1 : 0) - before;
    const Seq<S> y = rows > 0 ? step(m, ctx, pending, count, rows, outer, state, frame) : Seq<S>{};
    // The inner decoder has no use for whole patches any more but for what it carries: it reads the unfinished one.
    if (state.carries_inner() && whole > h.position / h.patch)
      finish_patches(m, ctx, bytes, pending, count, whole, y, before, state);
    if (rest > 0 && rows > 0) open_patch(m, ctx, pending, count, y, state);
    if (const Index fresh = std::min(rest, bytes.T); fresh > 0)
      m.inner.read(ctx, part_of(bytes, bytes.T - fresh, fresh, frame), condition_of(m, state), state.inner);
    h.append(pending, bytes.T);
  }

  static void next(const Decoder& m, const Context& ctx, Seq<const S> outer, State& state, Seq<S> logits) {
    const ByteHistory& h = state.history;
    if (h.rows_done == h.position / h.patch) {
      assert(h.unfinished() == 0);
      Frame frame(ctx.scratch());
      const Seq<S> y = step(m, ctx, h.last.data(), h.patch, 1, outer, state, frame);
      open_patch(m, ctx, h.last.data(), h.patch, y, state);
    }
    m.inner.next(ctx, condition_of(m, state), state.inner, logits);
  }

 private:
  /// y of the next `rows` positions of the stack. pending is (B, stride), from the last whole patch on.
  static Seq<S> step(const Decoder& m, const Context& ctx, const ByteOrNone* pending, Index stride, Index rows,
                     Seq<const S> outer, State& state, Frame& frame) {
    ByteHistory& h = state.history;
    const Index P = h.patch;
    const Seq<S> y = frame.seq<S>(h.B, rows, m.width());
    Frame local(ctx.scratch());
    ByteOrNone* const ids = local.take<ByteOrNone>(h.B * rows * P);
    for (Index b = 0; b < h.B; ++b)
      std::copy_n(pending + b * stride + place_of(h.rows_done - 1, h), rows * P, ids + b * rows * P);
    pad_first_rows(m.first_input, h.rows_done, m.chunk, ids, h.B, rows, P);
    const auto in = m.embedder.step(ctx, ids, {h.B, rows * P}, h.rows_done * P, state.embedder, local);
    add_condition(ctx, in.x, outer, in.first / P, m.chunk);
    m.stack.step(m.at_patches(ctx), in.x, y, state.stack);
    h.rows_done += rows;
    return y;
  }

  /// The last position of y, which the stack has just done, conditions the patch that comes.
  static void open_patch(const Decoder& m, const Context& ctx, const ByteOrNone* pending, Index stride, Seq<const S> y,
                         State& state) {
    Frame frame(ctx.scratch());
    const ByteHistory& h = state.history;
    m.condition.forward(ctx, rows_of(y, y.T - 1, 1, frame), condition_of(m, state), frame);
    if (!state.carries_inner()) state.inner.begin(bytes_before(m, pending, stride, h.rows_done - 1, h, frame));
  }

  /// Brings the inner decoder, which carries something, to the end of the last whole patch. y is of the stack from position
  /// `first_row` on. What it carries goes back a few patches: where all of these are new, it begins anew with them.
  static void finish_patches(const Decoder& m, const Context& ctx, Bytes bytes, const ByteOrNone* pending, Index stride,
                             Index whole, Seq<const S> y, Index first_row, State& state) {
    Frame frame(ctx.scratch());
    const ByteHistory& h = state.history;
    const Index P = h.patch;
    Index patch = whole - m.inner.reach() / P;
    if (patch * P > h.position) {
      state.inner.begin(bytes_before(m, pending, stride, patch, h, frame), patch * P);
    } else {
      patch = h.position / P;
      if (first_row > patch) {  // it is inside this one
        const Bytes rest = part_of(bytes, 0, P - h.unfinished(), frame);
        m.inner.read(m.at_inner(ctx, 0, bytes.T), rest, condition_of(m, state), state.inner);
        ++patch;
      }
    }
    const Index n = whole - patch, begin = patch * P - h.position;
    if (n == 0) return;
    const Seq<S> condition = m.condition.make(h.B * n, frame);
    m.condition.forward(ctx, rows_of(y, patch - first_row, n, frame), condition, frame);
    m.inner.read(m.at_inner(ctx, begin, bytes.T), part_of(bytes, begin, n * P, frame),
                 condition.viewed_as(h.B, n * m.condition.rows_per_patch, condition.C), state.inner);
  }

  static Seq<S> condition_of(const Decoder& m, State& state) {
    return {state.condition.data(), state.history.B, m.condition.rows_per_patch, m.inner.width()};
  }
  /// Where patch number `patch` begins in a row of pending bytes.
  static Index place_of(Index patch, const ByteHistory& h) { return (patch - h.position / h.patch + 1) * h.patch; }
  /// (B, u): the patch of the inner decoder before patch number `patch`.
  static const ByteOrNone* bytes_before(const Decoder& m, const ByteOrNone* pending, Index stride, Index patch,
                                        const ByteHistory& h, Frame& frame) {
    const Index u = m.inner.patch_size();
    ByteOrNone* const out = frame.take<ByteOrNone>(h.B * u);
    for (Index b = 0; b < h.B; ++b) std::copy_n(pending + b * stride + place_of(patch, h) - u, u, out + b * u);
    return out;
  }
  /// (1, B*n, C): rows [first, first + n) of each sequence of y.
  static Seq<const S> rows_of(Seq<const S> y, Index first, Index n, Frame& frame) {
    const Seq<S> out = frame.seq<S>(1, y.B * n, y.C);
    for (Index b = 0; b < y.B; ++b) row_map(out.row(b * n), n * y.C) = row_map(y.row(b * y.T + first), n * y.C);
    return out;
  }
  /// (B, n): bytes [first, first + n) of each sequence.
  static Bytes part_of(Bytes bytes, Index first, Index n, Frame& frame) {
    std::uint8_t* const out = frame.take<std::uint8_t>(bytes.B * n);
    for (Index b = 0; b < bytes.B; ++b) std::copy_n(bytes.row(b) + first, n, out + b * n);
    return {out, bytes.B, n};
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Reading and generating with a decoder over patches, from anywhere inside a patch, and what it carries on the way.
#pragma once

#include "megalith/models/byte_history.h"
#include "megalith/models/decoder_input.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// What a decoder over patches carries: its stack's state, and where it is inside a patch.
template <class Decoder>
struct PatchedState {
  using S = typename Decoder::Scalar;
  using Inner = typename Decoder::Inner;

  ByteHistory history;
  typename Stack<typename Decoder::Block>::State stack;
  Tensor<S> condition;          // (B, P/u, width of inner) of the unfinished patch; open states only
  typename Inner::State inner;  // of the unfinished patch

  PatchedState() = default;
  PatchedState(const Decoder& m, Index B, Index room = 0)
      : history(make_history<S>(B, m.patch_size())), stack(m.stack, B, (room + m.patch_size() - 1) / m.patch_size()) {
    if (room == 0) return;
    condition = Tensor<S>({B, m.condition.rows_per_patch, m.inner.width()});
    inner = typename Inner::State(m.inner, B, m.patch_size());
  }
  void begin(const ByteOrNone* previous) {
    history.begin(previous);
    stack.reset();
  }
  /// Whether there is a patch that the inner decoder is inside of.
  bool open() const { return history.rows_done > history.position / history.patch; }
  /// Whether next() was called for a byte that did not come yet.
  bool ahead() const { return open() && inner.ahead(); }
  bool valid() const {
    if (!history.valid() || !stack.valid(history.rows_done) || (history.unfinished() > 0 && !open())) return false;
    if (!open()) return true;
    // A patch that was opened for its first byte is left at once: next() goes on inside.
    return inner.valid() && inner.history.position == history.unfinished() && (history.unfinished() > 0 || inner.ahead());
  }
  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    decltype(PatchedState::stack)::visit(Name{&at, "stack"}, f, state.stack...);
  }
  template <class F, class St>
  static void visit_all(const Name& at, F&& f, St& state) {
    ByteHistory::visit_all(Name{&at, "history"}, f, state.history);
    decltype(PatchedState::stack)::visit_all(Name{&at, "stack"}, f, state.stack);
    if (state.condition.empty()) return;
    f(Name{&at, "condition"}, state.condition);
    Inner::State::visit_all(Name{&at, "inner"}, f, state.inner);
  }
};

/// The streaming half of Patched. The stack reads whole patches, many at a time; the inner decoder knows the unfinished
/// patch alone, under the condition that the stack gave when the patch was opened.
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
    const Index rows = whole + (rest > 0 ? 1 : 0) - h.rows_done;
    if (rows > 0) step(m, ctx, pending, count, rows, outer, state, rest > 0);
    // The inner decoder has no use for whole patches any more: it reads the unfinished one alone.
    const Index fresh = std::min(rest, bytes.T);
    if (fresh > 0) {
      std::uint8_t* const tail = frame.take<std::uint8_t>(bytes.B * fresh);
      for (Index b = 0; b < bytes.B; ++b) std::copy_n(bytes.row(b) + bytes.T - fresh, fresh, tail + b * fresh);
      m.inner.read(ctx, {tail, bytes.B, fresh}, condition_of(m, state), state.inner);
    }
    h.append(pending, bytes.T);
  }

  static void next(const Decoder& m, const Context& ctx, Seq<const S> outer, State& state, Seq<S> logits) {
    ByteHistory& h = state.history;
    if (h.rows_done == h.position / h.patch) {
      assert(h.unfinished() == 0);
      step(m, ctx, h.last.data(), h.patch, 1, outer, state, true);
    }
    m.inner.next(ctx, condition_of(m, state), state.inner, logits);
  }

 private:
  /// The next `rows` positions of the stack. pending is (B, stride), from the last whole patch on. Then, if asked to, opens
  /// the patch that the last of them conditions.
  static void step(const Decoder& m, const Context& ctx, const ByteOrNone* pending, Index stride, Index rows,
                   Seq<const S> outer, State& state, bool open_patch) {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    const Index P = h.patch, u = m.inner.patch_size();
    const Index skip = (h.rows_done - h.position / P) * P;  // bytes of `pending` that the stack has read
    ByteOrNone* const ids = frame.take<ByteOrNone>(h.B * rows * P);
    for (Index b = 0; b < h.B; ++b) std::copy_n(pending + b * stride + skip, rows * P, ids + b * rows * P);
    ByteOrNone* const previous = frame.take<ByteOrNone>(h.B * u);  // to the patch of the last of these positions
    for (Index b = 0; b < h.B; ++b) std::copy_n(ids + (b + 1) * rows * P - u, u, previous + b * u);
    if (h.starts_with_pad(m.first_input)) pad_first_patch(ids, h.B, rows * P, P);
    const auto in = m.embedder.forward(ctx, ids, {h.B, rows * P}, h.rows_done * P, frame);
    add_condition(ctx, in.x, outer, in.first / P);
    const Seq<S> y = frame.seq<S>(h.B, rows, m.width());
    m.stack.step(m.at_patches(ctx), in.x, y, state.stack);
    h.rows_done += rows;
    if (!open_patch) return;
    const Seq<S> last = frame.seq<S>(1, h.B, m.width());
    for (Index b = 0; b < h.B; ++b) row_map(last.row(b), m.width()) = row_map(y.row(b * rows + rows - 1), m.width());
    m.condition.forward(ctx, last, condition_of(m, state), frame);
    state.inner.begin(previous);
  }

  static Seq<S> condition_of(const Decoder& m, State& state) {
    return {state.condition.data(), state.history.B, m.condition.rows_per_patch, m.inner.width()};
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// A decoder with one stack over bytes: the vanilla byte transformer, and MEGABYTE's local model.
#pragma once

#include "megalith/models/decoder_input.h"
#include "megalith/nn/softmax_head.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// Position t reads the embedding of byte t-1 (the pad before the first) + the learned position t + row t of the condition,
/// and the stack's output row t gives the logits of byte t (Yu et al. 2023, eq. 4 to 6).
template <class Block>
struct Flat {
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  struct State {
    ByteHistory history;
    typename Stack<Block>::State stack;
    State() = default;
    State(const Flat& m, Index B, Index room = 0) : history(B, 1), stack(m.stack, B, room) {}
    void begin(const ByteOrNone* previous) {
      history.begin(previous);
      stack.reset();
    }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      Stack<Block>::State::visit(Name{&at, "stack"}, f, state.stack...);
    }
  };
  struct Tape {
    typename Stack<Block>::Tape stack;
    Tape() = default;
    Tape(const Flat& m, Shape bytes) : stack(m.stack, bytes) {}
  };

  FirstInput first_input = FirstInput::pad;
  Tensor<S> table;      // (V, C)
  Tensor<S> pad;        // (C)
  Tensor<S> positions;  // (T, C), or empty
  Stack<Block> stack;
  SoftmaxHead<S> head;

  Flat() = default;
  /// The innermost scale of a config.
  Flat(const ModelConfig& c, std::size_t scale)
      : first_input(c.scales[scale].first_input),
        table({kByteValues, c.scales[scale].stack.width}),
        pad({c.scales[scale].stack.width}),
        stack(c.scales[scale].stack),
        head(c.scales[scale].stack.width, c.tied, c.soft_cap) {
    if (c.scales[scale].stack.positions == PositionKind::learned)
      positions = Tensor<S>({window_bytes(c, scale), c.scales[scale].stack.width});
  }

  Index unit() const { return 1; }
  Index width() const { return stack.in_channels(); }

  void train(const Context& ctx, Bytes bytes, Seq<const S> condition, Seq<S> dcondition, S scale, S* losses, Flat& grad,
             State& state, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Index B = bytes.B, T = bytes.T, first = state.history.position;
    const ByteOrNone* const ids = units_before(bytes, state.history, first_input, frame);
    const Seq<S> x = frame.seq<S>(B, T, width()), y = frame.seq<S>(B, T, width());
    const Seq<S> dy = frame.seq<S>(B, T, width()), dx = frame.seq<S>(B, T, width());
    input(ctx, ids, condition, first, x);
    stack.forward(ctx, x, y, state.stack, tape.stack);
    head.train(ctx, y, table, bytes.data, scale, losses, dy, grad.head, grad.table);
    stack.backward(ctx, x, dy, dx, grad.stack, dstate.stack, tape.stack);
    add_condition_backward<S>(ctx, dx, dcondition);
    if (!positions.empty()) add_positions_backward<S>(ctx, dx, grad.positions, first, nullptr);
    fill_pads_backward<S>(ctx, ids, dx, grad.pad);
    embed_backward(ctx, ids, B * T, dx.data, grad.table);
    state.history.append_units(bytes);
  }

  void score(const Context& ctx, Bytes bytes, Seq<const S> condition, S* losses, State& state) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = units_before(bytes, state.history, first_input, frame);
    const Seq<S> x = frame.seq<S>(bytes.B, bytes.T, width()), y = frame.seq<S>(bytes.B, bytes.T, width());
    input(ctx, ids, condition, state.history.position, x);
    stack.step(ctx, x, y, state.stack);
    head.score(ctx, y, table, bytes.data, losses);
    state.history.append_units(bytes);
  }

  void read(const Context& ctx, Bytes bytes, Seq<const S> condition, State& state) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    ByteOrNone* const pending = frame.take<ByteOrNone>(bytes.B * h.pending_count(bytes.T));
    h.pending_bytes(bytes, pending);
    const Index rows = h.position + bytes.T - h.rows_done;
    if (rows > 0) step(ctx, pending, h.pending_count(bytes.T), rows, condition, state, frame.seq<S>(bytes.B, rows, width()));
    h.append(pending, bytes.T);
  }

  void next(const Context& ctx, Seq<const S> condition, State& state, Seq<S> logits) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    assert(h.rows_done == h.position);
    const Seq<S> y = frame.seq<S>(h.B, 1, width());
    step(ctx, h.last.data(), 1, 1, condition, state, y);
    head.logits(ctx, y, table, logits);
  }

  void accept(const std::uint8_t* bytes, State& state) const {
    ByteHistory& h = state.history;
    assert(h.rows_done == h.position + 1);
    for (Index b = 0; b < h.B; ++b) h.last[static_cast<std::size_t>(b)] = bytes[b];
    ++h.position;
  }

  double flops(Shape bytes) const { return stack.flops(bytes) + head.flops(bytes.rows(), width()); }

  void init(RandomKey key, const Init& how) {
    init_weight(table, key.child(0), how.std, width());
    init_weight(pad, key.child(1), how.std, width());
    init_weight(positions, key.child(2), how.std, width());
    stack.init(key.child(3), how);
    head.init(key.child(4), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "table", Role::table}, m.table...);
    f(Name{&at, "pad", Role::table}, m.pad...);
    if ((!m.positions.empty() || ...)) f(Name{&at, "positions", Role::table}, m.positions...);
    Stack<Block>::visit(Name{&at, "stack"}, f, m.stack...);
    SoftmaxHead<S>::visit(Name{&at, "head"}, f, m.head...);
  }

 private:
  /// x (B,T,C) from the byte before each position.
  void input(const Context& ctx, const ByteOrNone* ids, Seq<const S> condition, Index first, Seq<S> x) const {
    embed(ctx, table, ids, x.row_count(), x.data);
    fill_pads(ctx, ids, x, pad);
    if (!positions.empty()) add_positions(ctx, x, positions, first, nullptr);
    add_condition(ctx, x, condition, first);
  }

  /// The next `rows` positions of the stack, of which row i reads pending[b, i]; pending is (B, stride).
  void step(const Context& ctx, const ByteOrNone* pending, Index stride, Index rows, Seq<const S> condition, State& state,
            Seq<S> y) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    ByteOrNone* const ids = frame.take<ByteOrNone>(h.B * rows);
    for (Index b = 0; b < h.B; ++b) std::copy_n(pending + b * stride + (h.rows_done - h.position), rows, ids + b * rows);
    if (h.starts_with_pad(first_input)) pad_first_unit(ids, h.B, rows, 1);
    const Seq<S> x = frame.seq<S>(h.B, rows, width());
    input(ctx, ids, condition, h.rows_done, x);
    stack.step(ctx, x, y, state.stack);
    h.rows_done += rows;
  }
};

}  // namespace megalith

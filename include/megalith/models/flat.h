// SPDX-License-Identifier: Apache-2.0
// A decoder with one stack over bytes: the vanilla byte transformer, and MEGABYTE's local model.
#pragma once

#include "megalith/models/byte_decoder.h"
#include "megalith/models/patch_embedder.h"
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
    State(const Flat& m, Index B, Index room = 0) : history(make_history<S>(B, 1)), stack(m.stack, B, room) {}
    void begin(const ByteOrNone* previous, Index position = 0) {
      history.begin(previous, position);
      stack.reset(position);
    }
    /// Whether the stack has done the position of a byte that did not come yet: between next() and accept().
    bool ahead() const { return history.rows_done > history.position; }
    bool valid() const { return history.valid() && stack.valid(history.rows_done); }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      Stack<Block>::State::visit(Name{&at, "stack"}, f, state.stack...);
    }
    template <class F, class St>
    static void visit_all(const Name& at, F&& f, St& state) {
      ByteHistory::visit_all(Name{&at, "history"}, f, state.history);
      Stack<Block>::State::visit_all(Name{&at, "stack"}, f, state.stack);
    }
  };
  struct Tape {
    typename Stack<Block>::Tape stack;
    Tape() = default;
    Tape(const Flat& m, Shape bytes) : stack(m.stack, bytes) {}
  };

  FirstInput first_input = FirstInput::pad;
  Index chunk = 0;  // positions in a patch of the decoder around it, where its sequences go on through these; or 0
  PatchEmbedder<S> embedder;
  Stack<Block> stack;
  SoftmaxHead<S> head;

  Flat() = default;
  /// The innermost scale of a config.
  Flat(const ModelConfig& c, std::size_t scale)
      : first_input(c.scales[scale].first_input),
        chunk(chunk_of(c, scale)),
        embedder(c, scale, PositionOf::row),
        stack(stack_config(c, scale)),
        head(c.scales[scale].stack.width, c.tied, c.soft_cap) {}

  Index patch_size() const { return 1; }
  Index width() const { return stack.in_channels(); }
  Index reach() const { return chunk * std::ssize(stack.blocks); }
  bool ends() const { return !embedder.positions.empty(); }
  Index predicted(Index T) const { return stack.chunks().out_rows(T); }

  void train(const Context& ctx, Bytes bytes, Seq<const S> condition, Seq<S> dcondition, S scale, S* losses, Flat& grad,
             State& state, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, chunk, frame);
    typename PatchEmbedder<S>::State none;  // bytes one by one are not convolved
    typename PatchEmbedder<S>::Tape no_tape;
    const auto in = embedder.forward(ctx, ids, bytes.shape(), state.history.position, none, no_tape, frame);
    add_condition(ctx, in.x, condition, in.first, chunk);
    const Seq<S> all = frame.seq<S>(bytes.B, bytes.T, width());
    const LastBytes<S> last(bytes, predicted(bytes.T), losses, frame);
    const Seq<S> y{all.data, bytes.B, last.bytes.T, width()}, dy = frame.seq<S>(bytes.B, last.bytes.T, width());
    stack.forward(ctx, in.x, y, state.stack, tape.stack);
    head.train(ctx, y, embedder.table, last.bytes.data, scale, last.losses, dy, grad.head, grad.embedder.table);
    last.put_losses(bytes, losses);
    const auto d = embedder.gradient_of(in, all, frame);  // nobody needs y any more
    stack.backward(ctx, in.x, dy, d.x, grad.stack, dstate.stack, tape.stack);
    add_condition_backward<S>(ctx, d.x, dcondition);
    embedder.backward(ctx, ids, in, d, grad.embedder, none, no_tape);
    state.history.append_patches(bytes);
  }

  void score(const Context& ctx, Bytes bytes, Seq<const S> condition, S* losses, State& state) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, chunk, frame);
    typename PatchEmbedder<S>::State none;
    const auto in = embedder.step(ctx, ids, bytes.shape(), state.history.position, none, frame);
    add_condition(ctx, in.x, condition, in.first, chunk);
    const Seq<S> y = frame.seq<S>(bytes.B, bytes.T, width());
    stack.step(ctx, in.x, y, state.stack);
    head.score(ctx, y, embedder.table, bytes.data, losses);
    state.history.append_patches(bytes);
  }

  void read(const Context& ctx, Bytes bytes, Seq<const S> condition, State& state) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    const Index count = h.pending_count(bytes.T), rows = h.position + bytes.T - h.rows_done;
    ByteOrNone* const pending = frame.take<ByteOrNone>(bytes.B * count);
    h.pending_bytes(bytes, pending);
    // Of rows that nothing but their chunk sees, those of an unfinished chunk alone are computed as far as the end.
    const Index done = h.rows_done + rows, needed = std::min(rows, done - stack.chunks().start(done));
    if (rows > 0) step(ctx, pending, count, rows, condition, state, frame.seq<S>(bytes.B, needed, width()));
    h.append(pending, bytes.T);
  }

  void next(const Context& ctx, Seq<const S> condition, State& state, Seq<S> logits) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    assert(h.rows_done == h.position);
    const Seq<S> y = frame.seq<S>(h.B, 1, width());
    step(ctx, h.last.data(), 1, 1, condition, state, y);
    head.logits(ctx, y, embedder.table, logits);
  }

  void accept(const std::uint8_t* bytes, State& state) const {
    assert(state.history.rows_done == state.history.position + 1);
    state.history.append(bytes);
  }

  std::vector<DecoderFlops> flops_by_part(Shape bytes) const {
    const Flops of_stack = stack.flops(bytes);
    return {{0, "products", of_stack.products},
            {0, "attention", of_stack.mixing},
            {0, "head", head.flops(bytes.B * predicted(bytes.T), width())}};
  }
  double scratch(Shape bytes, Pass pass, int threads) const {
    const double output = static_cast<double>(bytes.rows()) * static_cast<double>(width());
    const bool trains = pass == Pass::backward;
    const double highest = trains
                               ? std::max(stack.scratch(bytes, Pass::forward, threads), stack.scratch(bytes, pass, threads))
                               : stack.scratch(bytes, pass, threads);
    const Index rows = bytes.B * (trains ? predicted(bytes.T) : bytes.T);
    return embedder.numbers(bytes) + output + (trains ? static_cast<double>(rows) * static_cast<double>(width()) : 0) +
           std::max(highest, head.scratch(rows));
  }

  void init(RandomKey key, const Init& how) {
    init_weight(embedder.table, key.child(0), how.std, width());
    init_weight(embedder.pad, key.child(1), how.std, width());
    init_weight(embedder.positions, key.child(2), how.std, width());
    stack.init(key.child(3), how);
    head.init(key.child(4), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    PatchEmbedder<S>::visit(at, f, m.embedder...);
    Stack<Block>::visit(Name{&at, "stack"}, f, m.stack...);
    SoftmaxHead<S>::visit(Name{&at, "head"}, f, m.head...);
  }

 private:
  /// The next `rows` positions of the stack, of which row i reads pending[b, i]; pending is (B, stride). y has the last of
  /// them.
  void step(const Context& ctx, const ByteOrNone* pending, Index stride, Index rows, Seq<const S> condition, State& state,
            Seq<S> y) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    ByteOrNone* const ids = frame.take<ByteOrNone>(h.B * rows);
    for (Index b = 0; b < h.B; ++b) std::copy_n(pending + b * stride + (h.rows_done - h.position), rows, ids + b * rows);
    pad_first_rows(first_input, h.rows_done, chunk, ids, h.B, rows, 1);
    typename PatchEmbedder<S>::State none;
    const auto in = embedder.step(ctx, ids, {h.B, rows}, h.rows_done, none, frame);
    add_condition(ctx, in.x, condition, in.first, chunk);
    stack.step(ctx, in.x, y, state.stack, h.rows_done);
    h.rows_done += rows;
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// MEGABYTE (Yu et al. 2023): a stack over patches, and a decoder inside each patch. By recursion, any number of scales.
#pragma once

#include "megalith/models/decoder_input.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// Position k reads patch k-1 as its U byte embeddings (+ learned positions) side by side, the pad for k = 0 (eq. 1 and 2).
/// The stack's output row k (eq. 3) is read as U/u rows of u * E numbers, u being the inner unit, and projected by one
/// shared matrix, w_gl, to the condition of the inner decoder (eq. 4), which runs on each patch as a sequence of its own
/// (eq. 5, 6).
///
/// The inner decoder streams: it runs forward, loss and backward on one tile of patches after the other, so nothing in it
/// grows with T. Bits depend on the tile's size, never on threads.
template <class Block, class Inner>
struct Patched {
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  struct State {
    ByteHistory history;
    typename Stack<Block>::State stack;
    Tensor<S> condition;          // (B, U/u, width of inner) of the unfinished patch; open states only
    typename Inner::State inner;  // of the unfinished patch
    State() = default;
    State(const Patched& m, Index B, Index room = 0)
        : history(B, m.unit()), stack(m.stack, B, (room + m.unit() - 1) / m.unit()) {
      if (room == 0) return;
      condition = Tensor<S>({B, m.rows_per_patch(), m.inner.width()});
      inner = typename Inner::State(m.inner, B, m.unit());
    }
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
    Index tile = 1;              // patches in a tile
    typename Inner::Tape inner;  // of one tile
    typename Inner::State inner_state, inner_dstate;
    Tape() = default;
    Tape(const Patched& m, Shape bytes)
        : stack(m.stack, {bytes.B, bytes.T / m.unit()}),
          tile(m.tile_patches(bytes)),
          inner(m.inner, {m.tile_patches(bytes), m.unit()}),
          inner_state(m.inner, m.tile_patches(bytes)),
          inner_dstate(m.inner, m.tile_patches(bytes)) {}
  };

  Index patch = 1;                           // U: bytes per patch
  Index tile_bytes = 1024;                   // bytes that the inner decoder handles at once
  FirstInput first_input = FirstInput::pad;  // of this decoder, for the one around it
  Tensor<S> table;                           // (V, E)
  Tensor<S> pad;                             // (U*E)
  Tensor<S> positions;                       // (window bytes, E), or empty
  Linear<S> embed_patch;                     // (U*E, C), or empty: E * U is C
  Linear<S> unembed_patch;                   // (C, U*E), or empty
  Stack<Block> stack;
  Linear<S> condition;  // w_gl: (u*E, width of inner)
  Inner inner;

  Patched() = default;
  Patched(const ModelConfig& c, std::size_t scale)
      : patch(c.scales[scale].unit),
        first_input(c.scales[scale].first_input),
        table({kByteValues, embedding_width(c.scales[scale])}),
        pad({patch * embedding_width(c.scales[scale])}),
        stack(c.scales[scale].stack),
        inner(c, scale + 1) {
    const Index E = table.cols(), C = stack.in_channels();
    if (c.scales[scale].stack.positions == PositionKind::learned) positions = Tensor<S>({window_bytes(c, scale), E});
    if (has_patch_embedder(c.scales[scale])) {
      embed_patch = Linear<S>(patch * E, C, c.scales[scale].stack.bias);
      unembed_patch = Linear<S>(C, patch * E, c.scales[scale].stack.bias);
    }
    condition = Linear<S>(inner.unit() * E, inner.width(), false);
  }

  Index unit() const { return patch; }
  Index width() const { return stack.in_channels(); }
  /// U/u: positions of the inner stack in a patch.
  Index rows_per_patch() const { return patch / inner.unit(); }
  /// Patches in a tile of the inner decoder.
  Index tile_patches(Shape bytes) const { return std::clamp<Index>(tile_bytes / patch, 1, bytes.rows() / patch); }

  void train(const Context& ctx, Bytes bytes, Seq<const S> outer, Seq<S> douter, S scale, S* losses, Patched& grad,
             State& state, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    assert(bytes.T % patch == 0 && state.history.unfinished() == 0);
    const Context stack_ctx = at_patches(ctx);
    const ByteOrNone* const ids = units_before(bytes, state.history, first_input, frame);
    const Input in = input(ctx, ids, bytes.shape(), state.history.position, outer, frame);
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width()), dy = frame.seq<S>(in.x.B, in.x.T, width());
    stack.forward(stack_ctx, in.x, y, state.stack, tape.stack);
    tiles(bytes, tape.tile, state, frame, [&](Index begin, Index count, const ByteOrNone* previous) {
      Frame local(ctx.scratch());
      const Seq<const S> y_tile{y.row(begin), 1, count, width()};
      const Seq<S> dy_tile{dy.row(begin), 1, count, width()};
      const Seq<const S> slots = unembedded(ctx, y_tile, local);  // (1, count * U/u, u*E)
      const Seq<S> cond = local.seq<S>(count, rows_per_patch(), inner.width());
      const Seq<S> dcond = local.seq<S>(count, rows_per_patch(), inner.width());
      condition.apply(ctx, slots, cond);
      begin_tile(tape.inner_state, count, previous);
      inner.train(ctx.site(kInnerSite).after_rows(begin * patch), {bytes.data + begin * patch, count, patch}, cond, dcond,
                  scale, losses + begin * patch, grad.inner, tape.inner_state, tape.inner_dstate, tape.inner);
      NoState none;
      NoTape no_tape;
      if (has_embedder()) {
        const Seq<S> dslots = local.seq<S>(slots.B, slots.T, slots.C);
        condition.backward(ctx, slots, dcond, dslots, grad.condition, none, no_tape);
        unembed_patch.backward(ctx, y_tile, dslots.viewed_as(1, count, pad.size()), dy_tile, grad.unembed_patch, none,
                               no_tape);
      } else {
        condition.backward(ctx, slots, dcond, dy_tile.viewed_as(slots.B, slots.T, slots.C), grad.condition, none, no_tape);
      }
    });
    const Input d = gradient_memory(in, y, frame);
    stack.backward(stack_ctx, in.x, dy, d.x, grad.stack, dstate.stack, tape.stack);
    input_backward(ctx, ids, in, d, douter, grad);
    state.history.append_units(bytes);
  }

  void score(const Context& ctx, Bytes bytes, Seq<const S> outer, S* losses, State& state) const {
    Frame frame(ctx.scratch());
    assert(bytes.T % patch == 0 && state.history.unfinished() == 0);
    const ByteOrNone* const ids = units_before(bytes, state.history, first_input, frame);
    const Input in = input(ctx, ids, bytes.shape(), state.history.position, outer, frame);
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width());
    stack.step(at_patches(ctx), in.x, y, state.stack);
    const Index tile = tile_patches(bytes.shape());
    typename Inner::State inner_state(inner, tile);
    tiles(bytes, tile, state, frame, [&](Index begin, Index count, const ByteOrNone* previous) {
      Frame local(ctx.scratch());
      const Seq<S> cond = local.seq<S>(count, rows_per_patch(), inner.width());
      condition.apply(ctx, unembedded(ctx, {y.row(begin), 1, count, width()}, local), cond);
      begin_tile(inner_state, count, previous);
      inner.score(ctx.site(kInnerSite).after_rows(begin * patch), {bytes.data + begin * patch, count, patch}, cond,
                  losses + begin * patch, inner_state);
    });
    state.history.append_units(bytes);
  }

  void read(const Context& ctx, Bytes bytes, Seq<const S> outer, State& state) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    const Index count = h.pending_count(bytes.T), whole = (h.position + bytes.T) / patch,
                rest = (h.position + bytes.T) % patch;
    ByteOrNone* const pending = frame.take<ByteOrNone>(bytes.B * count);
    h.pending_bytes(bytes, pending);
    // Positions of the stack up to the last whole patch's successor, which only an unfinished patch needs now.
    const Index rows = whole + (rest > 0 ? 1 : 0) - h.rows_done;
    if (rows > 0) step(ctx, pending, count, rows, outer, state, rest > 0);
    // Whole patches are behind the inner decoder: it reads the unfinished one alone.
    const Index fresh = std::min(rest, bytes.T);
    if (fresh > 0) {
      std::uint8_t* const tail = frame.take<std::uint8_t>(bytes.B * fresh);
      for (Index b = 0; b < bytes.B; ++b) std::copy_n(bytes.row(b) + bytes.T - fresh, fresh, tail + b * fresh);
      inner.read(ctx, {tail, bytes.B, fresh}, patch_condition(state), state.inner);
    }
    h.append(pending, bytes.T);
  }

  void next(const Context& ctx, Seq<const S> outer, State& state, Seq<S> logits) const {
    ByteHistory& h = state.history;
    if (h.rows_done == h.position / patch) {
      assert(h.unfinished() == 0);
      step(ctx, h.last.data(), patch, 1, outer, state, true);
    }
    inner.next(ctx, patch_condition(state), state.inner, logits);
  }

  void accept(const std::uint8_t* bytes, State& state) const {
    ByteHistory& h = state.history;
    inner.accept(bytes, state.inner);
    const Index at = h.unfinished();
    for (Index b = 0; b < h.B; ++b) h.partial[static_cast<std::size_t>(b * patch + at)] = bytes[b];
    if (++h.position % patch == 0) h.last = h.partial;
  }

  double flops(Shape bytes) const {
    const Shape patches{bytes.B, bytes.T / patch};
    double sum =
        stack.flops(patches) + condition.flops({patches.rows(), rows_per_patch()}) + inner.flops({patches.rows(), patch});
    if (has_embedder()) sum += embed_patch.flops(patches) + unembed_patch.flops(patches);
    return sum;
  }

  void init(RandomKey key, const Init& how) {
    init_weight(table, key.child(0), how.std, table.cols());
    init_weight(pad, key.child(1), how.std, table.cols());
    init_weight(positions, key.child(2), how.std, table.cols());
    if (has_embedder()) {
      embed_patch.init(key.child(3), how);
      unembed_patch.init(key.child(4), how);
    }
    stack.init(key.child(5), how);
    // A branch into what the inner decoder reads, so it is scaled like one.
    condition.init(key.child(6), how);
    condition.weight.vec() *= S(how.residual);
    inner.init(key.child(7), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "table", Role::table}, m.table...);
    f(Name{&at, "pad", Role::table}, m.pad...);
    if ((!m.positions.empty() || ...)) f(Name{&at, "positions", Role::table}, m.positions...);
    if ((m.has_embedder() || ...)) {
      Linear<S>::visit(Name{&at, "embed"}, f, m.embed_patch...);
      Linear<S>::visit(Name{&at, "unembed"}, f, m.unembed_patch...);
    }
    Stack<Block>::visit(Name{&at, "stack"}, f, m.stack...);
    Linear<S>::visit(Name{&at, "condition"}, f, m.condition...);
    Inner::visit(Name{&at, "inner"}, f, m.inner...);
  }

  bool has_embedder() const { return !embed_patch.weight.empty(); }

 private:
  /// The context of the stack, whose rows are patches.
  Context at_patches(const Context& ctx) const {
    Context c = ctx.site(kStackSite);
    c.first_row = ctx.first_row / patch;
    return c;
  }
  static constexpr std::uint64_t kStackSite = 0, kInnerSite = 1;

  /// What the stack reads, and on the way to it; the same for their gradients.
  struct Input {
    Index first;    // position of the first byte
    Seq<S> raw, x;  // (B, T, E): the embeddings of the bytes before; (B, T/U, C), raw's memory without an embedder
  };
  Input input_memory(Shape bytes, Index first, Frame& frame) const {
    const Seq<S> raw = frame.seq<S>(bytes.B, bytes.T, table.cols());
    const Index K = bytes.T / patch;
    return {first, raw, has_embedder() ? frame.seq<S>(bytes.B, K, width()) : raw.viewed_as(bytes.B, K, width())};
  }
  /// Memory of the gradient of `in`, most of it that of the stack's output, which nobody needs any more.
  Input gradient_memory(const Input& in, Seq<S> y, Frame& frame) const {
    if (!has_embedder()) return {in.first, y.viewed_as(in.raw.B, in.raw.T, in.raw.C), y};
    return {in.first, frame.seq<S>(in.raw.B, in.raw.T, in.raw.C), y};
  }
  Input input(const Context& ctx, const ByteOrNone* ids, Shape bytes, Index first, Seq<const S> outer, Frame& frame) const {
    const Input in = input_memory(bytes, first, frame);
    embed(ctx, table, ids, in.raw.row_count(), in.raw.data);
    fill_pads(ctx, ids, in.raw, pad);
    if (!positions.empty()) add_positions(ctx, in.raw, positions, first - patch, ids);
    if (has_embedder()) embed_patch.apply(ctx, in.raw.viewed_as(in.x.B, in.x.T, pad.size()), in.x);
    add_condition(ctx, in.x, outer, first / patch);
    return in;
  }
  /// d.x is given; d.raw is made of it.
  void input_backward(const Context& ctx, const ByteOrNone* ids, const Input& in, const Input& d, Seq<S> douter,
                      Patched& grad) const {
    add_condition_backward<S>(ctx, d.x, douter);
    if (has_embedder()) {
      NoState none;
      NoTape no_tape;
      embed_patch.backward(ctx, in.raw.viewed_as(in.x.B, in.x.T, pad.size()), d.x,
                           d.raw.viewed_as(in.x.B, in.x.T, pad.size()), grad.embed_patch, none, no_tape);
    }
    if (!positions.empty()) add_positions_backward<S>(ctx, d.raw, grad.positions, in.first - patch, ids);
    fill_pads_backward<S>(ctx, ids, d.raw, grad.pad);
    embed_backward(ctx, ids, d.raw.row_count(), d.raw.data, grad.table);
  }

  /// f(first patch, patches, the inner unit before each of them) over tiles of the B * K patches.
  template <class F>
  void tiles(Bytes bytes, Index tile, const State& state, Frame& frame, F&& f) const {
    const Index patches = bytes.B * bytes.T / patch;
    ByteOrNone* const previous = frame.take<ByteOrNone>(patches * inner.unit());
    previous_units(bytes, state.history.last.data(), patch, inner.unit(), previous);
    for (Index begin = 0; begin < patches; begin += tile)
      f(begin, std::min(tile, patches - begin), previous + begin * inner.unit());
  }
  /// A closed state serves any number of sequences up to its own.
  static void begin_tile(typename Inner::State& state, Index count, const ByteOrNone* previous) {
    state.history.B = count;
    state.begin(previous);
  }

  /// (1, n * U/u, u*E): the stack's output rows, cut for the inner positions.
  Seq<const S> unembedded(const Context& ctx, Seq<const S> y, Frame& frame) const {
    const Index rows = y.row_count() * rows_per_patch(), columns = inner.unit() * table.cols();
    if (!has_embedder()) return y.viewed_as(1, rows, columns);
    const Seq<S> slots = frame.seq<S>(1, rows, columns);
    unembed_patch.apply(ctx, y, slots.viewed_as(1, y.row_count(), pad.size()));
    return slots;
  }

  /// The next `rows` positions of the stack. pending is (B, stride), from the last whole patch on. Then, if asked to, opens
  /// the patch that the last of them conditions.
  void step(const Context& ctx, const ByteOrNone* pending, Index stride, Index rows, Seq<const S> outer, State& state,
            bool open_patch) const {
    Frame frame(ctx.scratch());
    ByteHistory& h = state.history;
    const Index skip = (h.rows_done - h.position / patch) * patch;  // bytes of `pending` that the stack has read
    ByteOrNone* const ids = frame.take<ByteOrNone>(h.B * rows * patch);
    for (Index b = 0; b < h.B; ++b) std::copy_n(pending + b * stride + skip, rows * patch, ids + b * rows * patch);
    ByteOrNone* const previous = frame.take<ByteOrNone>(h.B * inner.unit());  // to the last of these positions' patch
    for (Index b = 0; b < h.B; ++b)
      std::copy_n(ids + (b + 1) * rows * patch - inner.unit(), inner.unit(), previous + b * inner.unit());
    if (h.starts_with_pad(first_input)) pad_first_unit(ids, h.B, rows * patch, patch);
    const Input in = input(ctx, ids, {h.B, rows * patch}, h.rows_done * patch, outer, frame);
    const Seq<S> y = frame.seq<S>(h.B, rows, width());
    stack.step(at_patches(ctx), in.x, y, state.stack);
    h.rows_done += rows;
    if (!open_patch) return;
    const Seq<S> last = frame.seq<S>(h.B, 1, width());
    for (Index b = 0; b < h.B; ++b) row_map(last.row(b), width()) = row_map(y.row(b * rows + rows - 1), width());
    condition.apply(ctx, unembedded(ctx, last, frame), {state.condition.data(), h.B, rows_per_patch(), inner.width()});
    state.inner.begin(previous);
  }
  Seq<const S> patch_condition(const State& state) const {
    return {state.condition.data(), state.history.B, rows_per_patch(), inner.width()};
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// MEGABYTE (Yu et al. 2023): a stack over patches, and a decoder inside each patch. By recursion, several scales.
#pragma once

#include "megalith/models/byte_decoder.h"
#include "megalith/models/inner_sequences.h"
#include "megalith/models/local_condition.h"
#include "megalith/models/patch_embedder.h"
#include "megalith/models/patched_generation.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// Position k of the stack, the global model, reads patch k-1; row k of its output conditions the inner decoder, the local
/// model, which runs on patch k as a sequence of its own. Equation numbers are those of the paper.
///
/// The inner decoder streams: it runs forward, loss and backward on one tile of patches after the other, so its activations
/// do not grow with T. Bits depend on the tile's size, never on threads.
///
/// With cross-patch attention (2.3.2) the inner decoder goes on from patch to patch, through the State that each leaves: its
/// sequences are those of the whole, in chunks of a patch. Backward then takes the tiles of a sequence from the last to the
/// first, and what each received comes from reading the patches before it once more, as far as the inner decoder reaches.
template <class BlockType, class InnerDecoder>
struct Patched {
  using Block = BlockType;
  using Inner = InnerDecoder;
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  using State = PatchedState<Patched>;
  struct Tape {
    typename PatchEmbedder<S>::Tape embedder;
    typename Stack<Block>::Tape stack;
    InnerSequences sequences;
    typename Inner::Tape inner;              // of one tile
    typename Inner::State received, dstate;  // of its sequences
    Tape() = default;
    Tape(const Patched& m, Shape bytes)
        : embedder(m.embedder, bytes),
          stack(m.stack, {bytes.B, bytes.T / m.patch_size()}),
          sequences(m.inner_sequences(bytes)),
          inner(m.inner, sequences.tile()),
          received(m.inner_state(sequences)),
          dstate(received) {}
  };

  Index tile_bytes = 1024;                   // bytes that the inner decoder handles at once
  FirstInput first_input = FirstInput::pad;  // of this decoder, for the one around it
  Index chunk = 0;                           // as of Flat
  PatchEmbedder<S> embedder;
  Stack<Block> stack;
  LocalCondition<S> condition;
  Inner inner;

  Patched() = default;
  Patched(const ModelConfig& c, std::size_t scale)
      : first_input(c.scales[scale].first_input),
        chunk(chunk_of(c, scale)),
        embedder(c, scale, PositionOf::byte),
        stack(stack_config(c, scale)),
        condition(c, scale),
        inner(c, scale + 1) {}

  Index patch_size() const { return embedder.patch; }
  Index width() const { return stack.in_channels(); }
  Index reach() const {
    const Index around = chunk * patch_size();
    if (around == 0) return 0;
    const auto chunks = [&](Index bytes) { return (bytes + around - 1) / around; };
    // As far as the inner decoder reaches, the outputs of the stack must be right too, and for these what it reads.
    return around * (chunks(inner.reach()) + std::ssize(stack.blocks) + chunks(embedder.reach()));
  }
  /// Whether the inner decoder goes on from a patch to the next: cross-patch attention.
  bool chained() const { return inner.chunk > 0; }
  /// The positions of an inner decoder end with its patch, unless it goes on from one to the next.
  bool ends() const { return !embedder.positions.empty() || (chained() && inner_ends()); }
  InnerSequences inner_sequences(Shape bytes) const { return {bytes, patch_size(), inner.reach(), tile_bytes}; }

  void train(const Context& ctx, Bytes bytes, Seq<const S> outer, Seq<S> douter, S scale, S* losses, Patched& grad,
             State& state, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, chunk, frame);
    const auto in = embedder.forward(ctx, ids, bytes.shape(), state.history.position, state.embedder, tape.embedder,
                                     frame);  // (1), (2)
    add_condition(ctx, in.x, outer, in.first / patch_size(), chunk);
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width()), dy = frame.seq<S>(in.x.B, in.x.T, width());
    stack.forward(at_patches(ctx), in.x, y, state.stack, tape.stack);  // (3)
    InnerSequences all = inner_sequences(bytes.shape());
    all.at_once = std::min(all.at_once, tape.sequences.at_once);
    const typename Inner::State carried = state.carried(), d_left = dstate.carried();
    for (Index first = 0; first < all.count; first += all.at_once) {
      const Index n = std::min(all.at_once, all.count - first);
      typename Inner::State opened = state.inner_of(*this, n), opened_d = opened;
      auto& received = state.carries_inner() ? opened : tape.received;
      auto& d = state.carries_inner() ? opened_d : tape.dstate;
      d.begin(nullptr);
      if (state.carries_inner()) copy_sequences(d_left, first, d, 0, n);
      for (Index i = all.pieces(); i-- > 0;) {  // backwards: a piece's gradient by what it received goes to the one before
        Frame local(ctx.scratch());
        const Tile tile = tile_of(all.at(bytes, first, n, i));
        const Seq<const S> y_tile = tile.template of_stack<const S>(y);
        const Seq<S> cond = condition.make(tile.patches(), local), dcond = condition.make(tile.patches(), local);
        const Seq<const S> slots = condition.forward(ctx, y_tile, cond, local);  // (4)
        if (i == 0) begin_sequences(bytes, first, n, state, carried, received);
        else read_before(ctx, bytes, y, state.history, tile.begin, i * all.piece, received);
        inner.train(at_inner(ctx, tile.begin, bytes.T), tile.bytes, tile.of_inner(cond), tile.of_inner(dcond), scale,
                    losses + tile.begin, grad.inner, received, d, tape.inner);                         // (5), (6)
        condition.backward(ctx, y_tile, slots, dcond, tile.template of_stack<S>(dy), grad.condition);  // (4)
        if (i + 1 == all.pieces() && state.carries_inner()) copy_sequences(received, 0, state.inner, first, n);
      }
      if (state.carries_inner()) copy_sequences(d, 0, dstate.inner, first, n);
    }
    const auto d = embedder.gradient_of(in, y, frame);                                     // nobody needs y any more
    stack.backward(at_patches(ctx), in.x, dy, d.x, grad.stack, dstate.stack, tape.stack);  // (3)
    add_condition_backward<S>(ctx, d.x, douter);
    embedder.backward(ctx, ids, in, d, grad.embedder, dstate.embedder, tape.embedder);  // (2), (1)
    state.history.append_patches(bytes);
  }

  void score(const Context& ctx, Bytes bytes, Seq<const S> outer, S* losses, State& state) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, chunk, frame);
    const auto in = embedder.step(ctx, ids, bytes.shape(), state.history.position, state.embedder, frame);  // (1), (2)
    add_condition(ctx, in.x, outer, in.first / patch_size(), chunk);
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width());
    stack.step(at_patches(ctx), in.x, y, state.stack);  // (3)
    const InnerSequences all = inner_sequences(bytes.shape());
    typename Inner::State closed = inner_state(all);
    const typename Inner::State carried = state.carried();
    for (Index first = 0; first < all.count; first += all.at_once) {
      const Index n = std::min(all.at_once, all.count - first);
      typename Inner::State opened = state.inner_of(*this, n);
      auto& now = state.carries_inner() ? opened : closed;
      begin_sequences(bytes, first, n, state, carried, now);
      for (Index i = 0; i < all.pieces(); ++i) {
        Frame local(ctx.scratch());
        const Tile tile = tile_of(all.at(bytes, first, n, i));
        const Seq<S> cond = condition.make(tile.patches(), local);
        condition.forward(ctx, tile.template of_stack<const S>(y), cond, local);  // (4)
        inner.score(at_inner(ctx, tile.begin, bytes.T), tile.bytes, tile.of_inner(cond), losses + tile.begin,
                    now);  // (5), (6)
      }
      if (state.carries_inner()) copy_sequences(now, 0, state.inner, first, n);
    }
    state.history.append_patches(bytes);
  }

  void read(const Context& ctx, Bytes bytes, Seq<const S> outer, State& state) const {
    PatchedGeneration<Patched>::read(*this, ctx, bytes, outer, state);
  }
  void next(const Context& ctx, Seq<const S> outer, State& state, Seq<S> logits) const {
    PatchedGeneration<Patched>::next(*this, ctx, outer, state, logits);
  }
  void accept(const std::uint8_t* bytes, State& state) const {
    inner.accept(bytes, state.inner);
    state.history.append(bytes);
  }

  std::vector<DecoderFlops> flops_by_part(Shape bytes) const {
    const Index P = patch_size(), patches = bytes.rows() / P;
    const Flops of_stack = stack.flops({bytes.B, bytes.T / P});
    std::vector<DecoderFlops> all;
    if (embedder.projects() || embedder.convolves())
      all.push_back({0, "embedder", (embedder.flops({1, patches}) + condition.projection_flops(patches)).products});
    all.push_back({0, "products", of_stack.products});
    all.push_back({0, "attention", of_stack.mixing});
    all.push_back({1, "condition", condition.flops(patches).products});
    for (DecoderFlops part : inner.flops_by_part(chained() ? bytes : Shape{patches, P})) {
      ++part.scale;
      all.push_back(part);
    }
    return all;
  }
  double scratch(Shape bytes, Pass pass, int threads) const {
    const bool trains = pass == Pass::backward;
    const Shape patches{bytes.B, bytes.T / patch_size()};
    const double output = static_cast<double>(patches.rows()) * static_cast<double>(width());
    const Shape tile = inner_sequences(bytes).tile();
    const double in_tile =
        (trains ? 2 : 1) * condition.numbers(tile.rows() / patch_size()) + inner.scratch(tile, pass, threads);
    const Pass once = trains ? Pass::forward : Pass::step;
    const double forward = std::max(stack.scratch(patches, once, threads), embedder.scratch(bytes, once, threads));
    const double backward = trains ? embedder.gradient_numbers(bytes) + std::max(stack.scratch(patches, pass, threads),
                                                                                 embedder.scratch(bytes, pass, threads))
                                   : 0;
    return embedder.numbers(bytes) + (trains ? 2 : 1) * output + std::max({forward, in_tile, backward});
  }

  void init(RandomKey key, const Init& how) {
    init_weight(embedder.table, key.child(0), how.std, embedder.table.cols());
    init_weight(embedder.pad, key.child(1), how.std, embedder.table.cols());
    init_weight(embedder.positions, key.child(2), how.std, embedder.table.cols());
    if (embedder.projects()) {
      embedder.project.init(key.child(3), how);
      condition.unembed.init(key.child(4), how);
    }
    if (embedder.convolves()) embedder.convolution.init(key.child(8), how);
    stack.init(key.child(5), how);
    // A branch into what the inner decoder reads, so it is scaled like one.
    condition.w_gl.init(key.child(6), how);
    condition.w_gl.weight.vec() *= S(how.residual);
    inner.init(key.child(7), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    PatchEmbedder<S>::visit(at, f, m.embedder...);
    LocalCondition<S>::visit_unembed(at, f, m.condition...);
    Stack<Block>::visit(Name{&at, "stack"}, f, m.stack...);
    LocalCondition<S>::visit_w_gl(at, f, m.condition...);
    Inner::visit(Name{&at, "inner"}, f, m.inner...);
  }

  /// The context of the stack, whose rows are patches.
  Context at_patches(const Context& ctx) const { return ctx.site(kStackSite).every(patch_size()); }
  /// The context of the inner decoder from byte `begin` of bytes (B,T) on, counted through all B sequences.
  Context at_inner(const Context& ctx, Index begin, Index T) const { return ctx.site(kInnerSite).tile(begin, T); }

 private:
  static constexpr std::uint64_t kStackSite = 0, kInnerSite = 1;

  bool inner_ends() const {
    if constexpr (requires { inner.ends(); }) return inner.ends();
    else return true;
  }

  /// What the inner decoder handles at once: bytes (n, a piece), from byte `begin` of the batch on.
  struct Tile {
    Index begin = 0, patch = 1;
    Bytes bytes{};

    Index patches() const { return bytes.shape().rows() / patch; }
    /// Its rows of what the stack gives or takes, as (1, patches, C).
    template <class T>
    Seq<T> of_stack(Seq<S> rows) const {
      return {rows.row(begin / patch), 1, patches(), rows.C};
    }
    /// The conditions of its patches, as the inner decoder's sequences have them.
    Seq<S> of_inner(Seq<S> condition) const {
      return condition.viewed_as(bytes.B, condition.row_count() / bytes.B, condition.C);
    }
  };
  Tile tile_of(const InnerSequences::Piece& piece) const { return {piece.begin, patch_size(), piece.bytes}; }

  /// Of the sequences of a tile, with room for what passes between its pieces where there are several.
  typename Inner::State inner_state(const InnerSequences& all) const {
    return typename Inner::State(inner, all.at_once, all.pieces() > 1 ? all.length : 0);
  }

  /// What the sequences [first, first + n) of the inner decoder start from: of those that are carried, where there are such.
  void begin_sequences(Bytes bytes, Index first, Index n, const State& state, const typename Inner::State& carried,
                       typename Inner::State& to) const {
    if (state.carries_inner()) return copy_sequences(carried, first, to, 0, n);
    const Index u = inner.patch_size(), patches = chained() ? bytes.T / patch_size() : 1;  // in each of them
    std::vector<ByteOrNone>& previous = to.history.last;  // closed states serve any number of sequences up to their own
    to.history.B = n;
    for (Index i = 0; i < n; ++i)
      bytes_before_patch(bytes, state.history, (first + i) * patches, u, previous.data() + i * u);
    to.begin(previous.data());
  }

  /// What a piece receives that begins at byte `end` of the batch, `done` bytes into its sequence: the bytes before it are
  /// read once more, as far back as that matters.
  void read_before(const Context& ctx, Bytes bytes, Seq<S> y, const ByteHistory& history, Index end, Index done,
                   typename Inner::State& received) const {
    Frame frame(ctx.scratch());
    const Index reach = inner.reach(), begin = end - reach, u = inner.patch_size();
    ByteOrNone* const previous = frame.take<ByteOrNone>(u);
    bytes_before_patch(bytes, history, begin / patch_size(), u, previous);
    received.begin(previous, history.position + done - reach);
    const Tile tile{begin, patch_size(), {bytes.data + begin, 1, reach}};
    const Seq<S> cond = condition.make(tile.patches(), frame);
    condition.forward(ctx, tile.template of_stack<const S>(y), cond, frame);
    inner.read(at_inner(ctx, begin, bytes.T), tile.bytes, tile.of_inner(cond), received);
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// MEGABYTE (Yu et al. 2023): a stack over patches, and a decoder inside each patch. By recursion, several scales.
#pragma once

#include "megalith/models/byte_decoder.h"
#include "megalith/models/local_condition.h"
#include "megalith/models/patch_embedder.h"
#include "megalith/models/patched_generation.h"
#include "megalith/nn/stack.h"

namespace megalith {

/// Position k of the stack, the global model, reads patch k-1; row k of its output conditions the inner decoder, the local
/// model, which runs on patch k as a sequence of its own. Equation numbers are those of the paper.
///
/// The inner decoder streams: it runs forward, loss and backward on one tile of patches after the other, so nothing in it
/// grows with T. Bits depend on the tile's size, never on threads.
template <class BlockType, class InnerDecoder>
struct Patched {
  using Block = BlockType;
  using Inner = InnerDecoder;
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  using State = PatchedState<Patched>;
  struct Tape {
    typename Stack<Block>::Tape stack;
    Index tile = 1;              // patches in a tile
    typename Inner::Tape inner;  // of one tile
    typename Inner::State inner_state, inner_dstate;
    Tape() = default;
    Tape(const Patched& m, Shape bytes)
        : stack(m.stack, {bytes.B, bytes.T / m.patch_size()}),
          tile(m.tile_patches(bytes)),
          inner(m.inner, {tile, m.patch_size()}),
          inner_state(m.inner, tile),
          inner_dstate(m.inner, tile) {}
  };

  Index tile_bytes = 1024;                   // bytes that the inner decoder handles at once
  FirstInput first_input = FirstInput::pad;  // of this decoder, for the one around it
  PatchEmbedder<S> embedder;
  Stack<Block> stack;
  LocalCondition<S> condition;
  Inner inner;

  Patched() = default;
  Patched(const ModelConfig& c, std::size_t scale)
      : first_input(c.scales[scale].first_input),
        embedder(c, scale, PositionOf::byte),
        stack(c.scales[scale].stack),
        condition(c, scale),
        inner(c, scale + 1) {}

  Index patch_size() const { return embedder.patch; }
  Index width() const { return stack.in_channels(); }
  /// Patches in a tile of the inner decoder.
  Index tile_patches(Shape bytes) const {
    return std::clamp<Index>(tile_bytes / patch_size(), 1, std::max<Index>(1, bytes.rows() / patch_size()));
  }

  void train(const Context& ctx, Bytes bytes, Seq<const S> outer, Seq<S> douter, S scale, S* losses, Patched& grad,
             State& state, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, frame);
    const auto in = embedder.forward(ctx, ids, bytes.shape(), state.history.position, frame);  // (1), (2)
    add_condition(ctx, in.x, outer, in.first / patch_size());
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width()), dy = frame.seq<S>(in.x.B, in.x.T, width());
    stack.forward(at_patches(ctx), in.x, y, state.stack, tape.stack);  // (3)
    for_each_tile(ctx, bytes, tape.tile, state, [&](const Context& here, Tile tile) {
      Frame local(ctx.scratch());
      const Seq<const S> y_tile{y.row(tile.first), 1, tile.count, width()};
      const Seq<S> cond = condition.make(tile.count, local), dcond = condition.make(tile.count, local);
      const Seq<const S> slots = condition.forward(ctx, y_tile, cond, local);  // (4)
      begin_tile(tape.inner_state, tile);
      inner.train(here, tile.bytes, cond, dcond, scale, losses + tile.first * patch_size(), grad.inner, tape.inner_state,
                  tape.inner_dstate, tape.inner);  // (5), (6)
      condition.backward(ctx, y_tile, slots, dcond, {dy.row(tile.first), 1, tile.count, width()}, grad.condition);  // (4)
    });
    const auto d = embedder.gradient_of(in, y, frame);                                     // nobody needs y any more
    stack.backward(at_patches(ctx), in.x, dy, d.x, grad.stack, dstate.stack, tape.stack);  // (3)
    add_condition_backward<S>(ctx, d.x, douter);
    embedder.backward(ctx, ids, in, d, grad.embedder);  // (2), (1)
    state.history.append_patches(bytes);
  }

  void score(const Context& ctx, Bytes bytes, Seq<const S> outer, S* losses, State& state) const {
    Frame frame(ctx.scratch());
    const ByteOrNone* const ids = patches_before(bytes, state.history, first_input, frame);
    const auto in = embedder.forward(ctx, ids, bytes.shape(), state.history.position, frame);  // (1), (2)
    add_condition(ctx, in.x, outer, in.first / patch_size());
    const Seq<S> y = frame.seq<S>(in.x.B, in.x.T, width());
    stack.step(at_patches(ctx), in.x, y, state.stack);  // (3)
    const Index at_once = tile_patches(bytes.shape());
    typename Inner::State inner_state(inner, at_once);
    for_each_tile(ctx, bytes, at_once, state, [&](const Context& here, Tile tile) {
      Frame local(ctx.scratch());
      const Seq<S> cond = condition.make(tile.count, local);
      condition.forward(ctx, {y.row(tile.first), 1, tile.count, width()}, cond, local);  // (4)
      begin_tile(inner_state, tile);
      inner.score(here, tile.bytes, cond, losses + tile.first * patch_size(), inner_state);  // (5), (6)
    });
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
    if (embedder.projects())
      all.push_back({0, "embedder", (embedder.flops({1, patches}) + condition.projection_flops(patches)).products});
    all.push_back({0, "products", of_stack.products});
    all.push_back({0, "attention", of_stack.mixing});
    all.push_back({1, "condition", condition.flops(patches).products});
    for (DecoderFlops part : inner.flops_by_part({patches, P})) {
      ++part.scale;
      all.push_back(part);
    }
    return all;
  }
  double scratch(Shape bytes, Pass pass, int threads) const {
    const bool trains = pass == Pass::backward;
    const Shape patches{bytes.B, bytes.T / patch_size()};
    const double output = static_cast<double>(patches.rows()) * static_cast<double>(width());
    const Index tile = tile_patches(bytes);
    const double in_tile = (trains ? 2 : 1) * condition.numbers(tile) + inner.scratch({tile, patch_size()}, pass, threads);
    const double forward = stack.scratch(patches, trains ? Pass::forward : Pass::step, threads);
    const double backward =
        trains ? stack.scratch(patches, pass, threads) + (embedder.projects() ? embedder.numbers(bytes) - output : 0) : 0;
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

 private:
  static constexpr std::uint64_t kStackSite = 0, kInnerSite = 1;

  /// Patches [first, first + count) of the B * K, as sequences of their own, with the inner patch before each of them.
  struct Tile {
    Index first, count;
    Bytes bytes;                 // (count, P)
    const ByteOrNone* previous;  // (count, u)
  };
  /// f(context of the inner decoder, tile) over all patches, `at_once` at a time.
  template <class F>
  void for_each_tile(const Context& ctx, Bytes bytes, Index at_once, const State& state, F&& f) const {
    Frame frame(ctx.scratch());
    const Index P = patch_size(), u = inner.patch_size(), patches = bytes.B * bytes.T / P;
    ByteOrNone* const previous = frame.take<ByteOrNone>(patches * u);
    bytes_before_patches(bytes, state.history.last.data(), P, u, previous);
    for (Index first = 0; first < patches; first += at_once) {
      const Index count = std::min(at_once, patches - first);
      f(ctx.site(kInnerSite).tile(first * P, bytes.T),
        Tile{first, count, {bytes.data + first * P, count, P}, previous + first * u});
    }
  }
  /// A closed state serves any number of sequences up to its own.
  static void begin_tile(typename Inner::State& state, const Tile& tile) {
    state.history.B = tile.count;
    state.begin(tile.previous);
  }
};

}  // namespace megalith

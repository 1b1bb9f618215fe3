// SPDX-License-Identifier: Apache-2.0
// Blocks one after the other, and a norm at the end.
#pragma once

#include <algorithm>
#include <vector>

#include "megalith/nn/block_kind.h"

namespace megalith {
namespace detail {

template <class M>
constexpr bool is_any_module = false;
template <class S>
constexpr bool is_any_module<AnyModule<S>> = true;

/// Block number `layer` of a stack: of a type that a program was compiled for, or of the kind that the config names.
template <class Block>
Block make_block(const StackConfig& c, Index layer) {
  if constexpr (is_any_module<Block>) return c.block.kind().template make_block<typename Block::Scalar>(c, layer);
  else return Block(c, layer);
}
template <class Block>
typename Block::FinalNorm make_final_norm(const StackConfig& c) {
  if constexpr (is_any_module<Block>) return c.block.kind().template make_final_norm<typename Block::Scalar>(c);
  else return Block::final_norm(c);
}

}  // namespace detail

/// y = norm(block_{L-1}(... block_0(x))): a pre-norm transformer (Radford et al. 2019), or what other blocks make of it. A
/// block says which norm ends its stack: Block::FinalNorm, made by Block::final_norm(config).
template <class Block>
struct Stack {
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  using FinalNorm = typename Block::FinalNorm;
  struct State {
    std::vector<typename Block::State> blocks;
    typename FinalNorm::State norm;
    State() = default;
    State(const Stack& m, Index B, Index room = 0) : norm(m.norm, B, room) {
      blocks.reserve(m.blocks.size());
      for (const Block& block : m.blocks) blocks.emplace_back(block, B, room);
    }
    void reset(Index rows = 0) {
      for (auto& b : blocks) b.reset(rows);
      norm.reset(rows);
    }
    bool valid(Index rows) const {
      return norm.valid(rows) && std::all_of(blocks.begin(), blocks.end(), [&](const auto& b) { return b.valid(rows); });
    }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      const std::size_t count = std::min({state.blocks.size()...});
      const Name list{&at, "blocks"};
      for (std::size_t i = 0; i < count; ++i) Block::State::visit(Name::element(list, i), f, state.blocks[i]...);
      FinalNorm::State::visit(Name{&at, "norm"}, f, state.norm...);
    }
    template <class F, class St>
    static void visit_all(const Name& at, F&& f, St& state) {
      const Name list{&at, "blocks"};
      for (std::size_t i = 0; i < state.blocks.size(); ++i)
        Block::State::visit_all(Name::element(list, i), f, state.blocks[i]);
      FinalNorm::State::visit_all(Name{&at, "norm"}, f, state.norm);
    }
  };
  struct Tape {
    std::vector<typename Block::Tape> blocks;
    std::vector<Tensor<S>> inputs;  // (B*T, C) of each block but the first, then of the norm
    typename FinalNorm::Tape norm;
    Tape() = default;
    Tape(const Stack& m, Shape in) : norm(m.norm, m.out_shape(in)) {
      for (const Block& block : m.blocks) {
        blocks.emplace_back(block, in);
        in = m.out_shape(in);
        inputs.emplace_back(std::initializer_list<Index>{in.rows(), m.in_channels()});
      }
    }
  };

  std::vector<Block> blocks;
  FinalNorm norm;

  Stack() = default;
  explicit Stack(const StackConfig& c) : norm(detail::make_final_norm<Block>(c)) {
    for (Index layer = 0; layer < c.layers; ++layer) blocks.push_back(detail::make_block<Block>(c, layer));
  }

  Index in_channels() const { return norm.in_channels(); }
  Index out_channels() const { return norm.in_channels(); }

  Chunks chunks() const { return blocks.empty() ? Chunks{} : chunks_of(blocks[0]); }

  /// y has the rows of x; in training on windows that nothing came before, the last Chunks::out_rows() of them. Block 0
  /// reads all of x, and all above it has the rows of y.
  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    for (std::size_t i = 0; i < blocks.size(); ++i)
      blocks[i].forward(at_block(ctx, i, x.T - y.T), input(x, y.T, tape, i), output(y, tape, i), state.blocks[i],
                        tape.blocks[i]);
    norm.forward(ctx, input(x, y.T, tape, blocks.size()), y, state.norm, tape.norm);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Stack& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    // The gradient at the input of each block, in turn in dx and beside it, and of block 0 in dx.
    const Seq<S> beside = frame.seq<S>(dy.B, dy.T, dy.C);
    const auto at = [&](std::size_t i) {
      return i == 0 ? dx : Seq<S>{i % 2 == 0 ? dx.data : beside.data, dy.B, dy.T, dy.C};
    };
    norm.backward(ctx, input(x, dy.T, tape, blocks.size()), dy, at(blocks.size()), grad.norm, dstate.norm, tape.norm);
    for (std::size_t i = blocks.size(); i-- > 0;)
      blocks[i].backward(at_block(ctx, i, x.T - dy.T), input(x, dy.T, tape, i), at(i + 1), at(i), grad.blocks[i],
                         dstate.blocks[i], tape.blocks[i]);
  }
  /// y has the rows of x, or the last of them from a chunk's start on: none where that is where x ends. `position`, of the
  /// first row of x, matters only then.
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Index position = 0) const {
    Frame frame(ctx.scratch());
    Seq<S> h = frame.seq<S>(y.B, y.T, y.C), next = frame.seq<S>(y.B, y.T, y.C);
    const Index skipped = x.T - y.T;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (i > 0 && skipped > 0) state.blocks[i].reset(position + skipped);  // of what came before it sees nothing any more
      if (i == 0 || y.T > 0) blocks[i].step(at_block(ctx, i, skipped), i == 0 ? x : h, next, state.blocks[i]);
      std::swap(h, next);
    }
    if (y.T > 0) norm.step(ctx, blocks.empty() ? x : h, y, state.norm);
  }

  Flops flops(Shape in) const {
    Flops sum = norm.flops(out_shape(in));
    for (const Block& b : blocks) {
      sum += b.flops(in);
      in = out_shape(in);
    }
    return sum;
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const Shape out = pass == Pass::step ? in : out_shape(in);
    const double row = static_cast<double>(out.rows()) * static_cast<double>(in_channels());
    const double own = pass == Pass::forward ? 0 : pass == Pass::step ? 2 * row : row;
    double highest = norm.scratch(out, pass, threads);
    for (const Block& b : blocks) {
      highest = std::max(highest, b.scratch(in, pass, threads));
      in = out;
    }
    return own + highest;
  }

  void init(RandomKey key, const Init& how) {
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].init(key.child(i), how);
    norm.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    const Name list{&at, "blocks"};
    const std::size_t count = std::min({m.blocks.size()...});
    for (std::size_t i = 0; i < count; ++i) Block::visit(Name::element(list, i), f, m.blocks[i]...);
    FinalNorm::visit(Name{&at, "norm"}, f, m.norm...);
  }

 private:
  /// Of what block 0 gives in training.
  Shape out_shape(Shape in) const { return {in.B, chunks().out_rows(in.T)}; }
  /// For block i, where block 0 leaves out the first `skipped` rows.
  static Context at_block(const Context& ctx, std::size_t i, Index skipped) {
    return i == 0 ? ctx.site(i) : ctx.site(i).from_position(skipped);
  }
  /// What block i reads, which has `rows` rows behind block 0; i = L: the norm.
  static Seq<const S> input(Seq<const S> x, Index rows, Tape& tape, std::size_t i) {
    return i == 0 ? x : Seq<const S>{tape.inputs[i - 1].data(), x.B, rows, x.C};
  }
  static Seq<S> output(Seq<const S> y, Tape& tape, std::size_t i) { return {tape.inputs[i].data(), y.B, y.T, y.C}; }
};

}  // namespace megalith

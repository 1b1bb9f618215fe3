// SPDX-License-Identifier: Apache-2.0
// Blocks one after the other, and a norm at the end.
#pragma once

#include <vector>

#include "megalith/nn/norm.h"

namespace megalith {

/// y = norm(block_{L-1}(... block_0(x))): a pre-norm transformer (Radford et al. 2019).
template <class Block>
struct Stack {
  using Scalar = typename Block::Scalar;
  using S = Scalar;
  struct State {
    std::vector<typename Block::State> blocks;
    State() = default;
    State(const Stack& m, Index B, Index room = 0) {
      for (const Block& block : m.blocks) blocks.emplace_back(block, B, room);
    }
    void reset() {
      for (auto& b : blocks) b.reset();
    }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      const std::size_t count = std::min({state.blocks.size()...});
      const Name list{&at, "blocks"};
      for (std::size_t i = 0; i < count; ++i)
        Block::State::visit(Name::element(list, i), f, state.blocks[i]...);
    }
  };
  struct Tape {
    std::vector<typename Block::Tape> blocks;
    std::vector<Tensor<S>> inputs;  // (B*T, C) of each block but the first, then of the norm
    typename Norm<S>::Tape norm;
    Tape() = default;
    Tape(const Stack& m, Shape in) : norm(m.norm, in) {
      if (m.blocks.empty()) return;
      // Copies of the first block's tape, not new ones: Recompute shares its inner tape between copies.
      blocks.assign(m.blocks.size(), typename Block::Tape(m.blocks.front(), in));
      inputs.assign(m.blocks.size(), Tensor<S>({in.rows(), m.in_channels()}));
    }
  };

  std::vector<Block> blocks;
  Norm<S> norm;

  Stack() = default;
  explicit Stack(const StackConfig& c) : blocks(static_cast<std::size_t>(c.layers), Block(c)), norm(c.norm, c.width) {}

  Index in_channels() const { return norm.in_channels(); }
  Index out_channels() const { return norm.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    for (std::size_t i = 0; i < blocks.size(); ++i)
      blocks[i].forward(ctx.site(i), input(x, tape, i), output(x, tape, i), state.blocks[i], tape.blocks[i]);
    NoState none;
    norm.forward(ctx, input(x, tape, blocks.size()), y, none, tape.norm);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    Seq<S> h = frame.seq<S>(x.B, x.T, x.C), next = frame.seq<S>(x.B, x.T, x.C);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      blocks[i].step(ctx.site(i), i == 0 ? x : h, next, state.blocks[i]);
      std::swap(h, next);
    }
    NoState none;
    norm.step(ctx, blocks.empty() ? x : h, y, none);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Stack& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    // The gradient at the input of each block, in turn in dx and beside it, and of block 0 in dx.
    const Seq<S> beside = frame.seq<S>(x.B, x.T, x.C);
    const auto at = [&](std::size_t i) { return i % 2 == 0 ? dx : beside; };
    NoState none;
    norm.backward(ctx, input(x, tape, blocks.size()), dy, at(blocks.size()), grad.norm, none, tape.norm);
    for (std::size_t i = blocks.size(); i-- > 0;)
      blocks[i].backward(ctx.site(i), input(x, tape, i), at(i + 1), at(i), grad.blocks[i], dstate.blocks[i], tape.blocks[i]);
  }

  double flops(Shape in) const {
    double sum = 0;
    for (const Block& b : blocks) sum += b.flops(in);
    return sum;
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
    Norm<S>::visit(Name{&at, "norm"}, f, m.norm...);
  }

 private:
  /// What block i reads; i = L: the norm.
  static Seq<const S> input(Seq<const S> x, Tape& tape, std::size_t i) {
    return i == 0 ? x : Seq<const S>{tape.inputs[i - 1].data(), x.B, x.T, x.C};
  }
  static Seq<S> output(Seq<const S> x, Tape& tape, std::size_t i) { return {tape.inputs[i].data(), x.B, x.T, x.C}; }
};

}  // namespace megalith

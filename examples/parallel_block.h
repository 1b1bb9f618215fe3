// SPDX-License-Identifier: Apache-2.0
// A module composed of the library's modules; own_block.cpp checks and trains it.
#pragma once

#include "megalith/nn/attention.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/norm.h"
#include "megalith/nn/transformer_block.h"

namespace example {

using namespace megalith;

/// y = x + attention(norm(x)) + feed_forward(norm(x)): both halves of a transformer block side by side (Wang & Komatsuzaki
/// 2021, GPT-J). nn/module.h says what each of these members must do.
template <class S>
struct ParallelBlock {
  using Scalar = S;
  struct State : Attention<S>::State {  // only attention looks back
    State() = default;
    State(const ParallelBlock& m, Index B, Index room = 0) : Attention<S>::State(m.attention, B, room) {}
  };
  struct Tape {
    typename Norm<S>::Tape norm;
    typename Attention<S>::Tape attention;
    typename FeedForward<S>::Tape feed_forward;
    Tensor<S> normed;  // (B*T, C)
    Tape() = default;
    Tape(const ParallelBlock& m, Shape in)
        : norm(m.norm, in),
          attention(m.attention, in),
          feed_forward(m.feed_forward, in),
          normed({in.rows(), m.in_channels()}) {}
  };

  Norm<S> norm;
  Attention<S> attention;
  FeedForward<S> feed_forward;

  ParallelBlock() = default;
  explicit ParallelBlock(const StackConfig& c) : norm(c.norm, c.width), attention(attention_config(c)), feed_forward(c) {}

  Index in_channels() const { return norm.in_channels(); }
  Index out_channels() const { return norm.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());  // what is taken from it is given back when the call ends
    const Seq<S> half = frame.seq<S>(x.B, x.T, x.C), normed{tape.normed.data(), x.B, x.T, x.C};
    NoState none;
    norm.forward(ctx, x, normed, none, tape.norm);
    attention.forward(ctx.site(0), normed, y, state, tape.attention);
    feed_forward.forward(ctx.site(1), normed, half, none, tape.feed_forward);
    y.vec() += x.vec() + half.vec();
  }
  /// The same without a tape: for scoring and generating.
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> half = frame.seq<S>(x.B, x.T, x.C), normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.step(ctx, x, normed, none);
    attention.step(ctx.site(0), normed, y, state);
    feed_forward.step(ctx.site(1), normed, half, none);
    y.vec() += x.vec() + half.vec();
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, ParallelBlock& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> dhalf = frame.seq<S>(x.B, x.T, x.C), dnormed = frame.seq<S>(x.B, x.T, x.C);
    const Seq<const S> normed{tape.normed.data(), x.B, x.T, x.C};
    NoState none;
    // forward was: y = x + attention(normed) + feed_forward(normed), so dy goes to all three.
    attention.backward(ctx.site(0), normed, dy, dnormed, grad.attention, dstate, tape.attention);
    feed_forward.backward(ctx.site(1), normed, dy, dhalf, grad.feed_forward, none, tape.feed_forward);
    dnormed.vec() += dhalf.vec();
    norm.backward(ctx, x, dnormed, dx, grad.norm, none, tape.norm);
    dx.vec() += dy.vec();
  }

  double flops(Shape in) const { return attention.flops(in) + feed_forward.flops(in); }

  void init(RandomKey key, const Init& how) {
    norm.init(key, how);
    attention.init(key.child(0), how);
    feed_forward.init(key.child(1), how);
  }

  /// Names every parameter: for the optimiser, files and the checks.
  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Norm<S>::visit(Name{&at, "norm"}, f, m.norm...);
    Attention<S>::visit(Name{&at, "attention"}, f, m.attention...);
    FeedForward<S>::visit(Name{&at, "feed_forward"}, f, m.feed_forward...);
  }
};

}  // namespace example

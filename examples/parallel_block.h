// SPDX-License-Identifier: Apache-2.0
// A kind of block of one's own, composed of the library's modules; own_block.cpp checks it and trains it by its name.
#pragma once

#include "megalith/core/problems.h"
#include "megalith/nn/attention.h"
#include "megalith/nn/define_block_kind.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/norm.h"

namespace example {

using namespace megalith;

template <class S>
struct ParallelBlock;

/// The settings of the block, as they stand in a stack's JSON: `"parallel": {"heads": 8}`.
struct ParallelConfig {
  static constexpr const char* kKind = "parallel";
  template <class S>
  using Block = ParallelBlock<S>;

  Index heads = 8;
  Index hidden = 0;  // 0 means 4 * width
  NormKind norm = NormKind::rms;
  Activation activation = Activation::gelu;

  bool operator==(const ParallelConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("heads", c.heads);
    f("hidden", c.hidden);
    f("norm", c.norm);
    f("activation", c.activation);
  }
  /// What cannot be, a sentence each; `at` is the path of the stack.
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
    const std::string name = text(at, ".", kKind, ".heads"), width = at + ".width";
    if (problems.range(name, heads, 1, 1024) && problems.unless(stack.width % heads == 0, {name, width}, " = ", heads,
                                                                " does not divide ", width, " = ", stack.width))
      problems.unless(stack.positions != PositionKind::rotary || stack.width / heads % 2 == 0, {name, width}, " = ", heads,
                      " makes heads of an odd width, which rotary positions cannot turn");
    problems.range(text(at, ".", kKind, ".hidden"), hidden, 0, 1 << 20);
  }
  /// With defaults filled in.
  ParallelConfig with_defaults(const StackConfig& stack) const {
    ParallelConfig c = *this;
    if (c.hidden == 0) c.hidden = 4 * stack.width;
    return c;
  }
};

/// y = x + dropout(attention(norm(x)) + feed_forward(norm(x))): both halves of a transformer block side by side (Wang &
/// Komatsuzaki 2021, GPT-J). nn/module.h says what each of these members must do.
template <class S>
struct ParallelBlock {
  using Scalar = S;
  using FinalNorm = Norm<S>;            // what ends a stack of such blocks
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
  Dropout<S> dropout;

  ParallelBlock() = default;
  ParallelBlock(const StackConfig& stack, Index /*layer*/) {
    const ParallelConfig c = stack.block.as<ParallelConfig>().with_defaults(stack);
    norm = {c.norm, stack.width};
    attention = Attention<S>({.width = stack.width,
                              .heads = c.heads,
                              .rotary_base = stack.positions == PositionKind::rotary ? 10000.0 : 0.0,
                              .bias = stack.bias,
                              .recompute = stack.recompute});
    feed_forward = FeedForward<S>({.width = stack.width,
                                   .hidden = c.hidden,
                                   .activation = c.activation,
                                   .bias = stack.bias,
                                   .recompute = stack.recompute});
    dropout = {stack.dropout, stack.width};
  }
  static FinalNorm final_norm(const StackConfig& stack) { return {stack.block.as<ParallelConfig>().norm, stack.width}; }

  Index in_channels() const { return attention.in_channels(); }
  Index out_channels() const { return attention.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());  // what is taken from it is given back when the call ends
    const Seq<S> half = frame.seq<S>(x.B, x.T, x.C), normed{tape.normed.data(), x.B, x.T, x.C};
    NoState none;
    norm.forward(ctx, x, normed, none, tape.norm);
    attention.forward(ctx.site(0), normed, y, state, tape.attention);
    feed_forward.forward(ctx.site(1), normed, half, none, tape.feed_forward);
    add(ctx, x, half, y);
  }
  /// The same without a tape: for scoring and generating.
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> half = frame.seq<S>(x.B, x.T, x.C), normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.step(ctx, x, normed, none);
    attention.step(ctx.site(0), normed, y, state);
    feed_forward.step(ctx.site(1), normed, half, none);
    add(ctx, x, half, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, ParallelBlock& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> dsum = frame.seq<S>(x.B, x.T, x.C), dhalf = frame.seq<S>(x.B, x.T, x.C),
                 dnormed = frame.seq<S>(x.B, x.T, x.C);
    const Seq<const S> normed{tape.normed.data(), x.B, x.T, x.C};
    NoState none;
    // forward was: y = x + dropout(attention(normed) + feed_forward(normed)).
    dropout.apply(ctx.site(2), dy, dsum);
    attention.backward(ctx.site(0), normed, dsum, dnormed, grad.attention, dstate, tape.attention);
    feed_forward.backward(ctx.site(1), normed, dsum, dhalf, grad.feed_forward, none, tape.feed_forward);
    dnormed.vec() += dhalf.vec();
    norm.backward(ctx, x, dnormed, dx, grad.norm, none, tape.norm);
    dx.vec() += dy.vec();
  }

  // What it costs, for `info`, budgets and the check of memory.
  Flops flops(Shape in) const { return attention.flops(in) + feed_forward.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double row = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    return (pass == Pass::forward ? 1
            : pass == Pass::step  ? 2
                                  : 3) *
               row +
           std::max(attention.scratch(in, pass, threads), feed_forward.scratch(in, pass, threads));
  }

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

 private:
  /// y = x + dropout(y + half).
  void add(const Context& ctx, Seq<const S> x, Seq<S> half, Seq<S> y) const {
    y.vec() += half.vec();
    dropout.apply(ctx.site(2), y, y);
    y.vec() += x.vec();
  }
};

}  // namespace example

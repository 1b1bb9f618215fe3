// SPDX-License-Identifier: Apache-2.0
// The pre-norm block of an attention and a feed-forward layer.
#pragma once

#include <algorithm>

#include "megalith/nn/feed_forward.h"
#include "megalith/nn/residual.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// The feed-forward layer of a stack whose blocks have the settings C.
template <class C>
FeedForwardConfig feed_forward_config(const StackConfig& stack) {
  const auto& c = stack.block.as<C>();
  return {.width = stack.width,
          .hidden = c.hidden_width(stack.width),
          .activation = c.activation,
          .bias = stack.bias,
          .recompute = stack.recompute};
}

/// h = x + attention(norm(x)); y = h + feed_forward(norm(h)), with any attention A that has replay() and `recompute`.
template <class A>
struct AttentionBlock {
  using Scalar = typename A::Scalar;
  using S = Scalar;
  using FinalNorm = Norm<S>;

  struct State : Residual<A>::State {  // the feed-forward half carries nothing
    State() = default;
    State(const AttentionBlock& m, Index B, Index room = 0) : Residual<A>::State(m.attention, B, room) {}
  };
  struct Tape {
    typename Residual<A>::Tape attention;
    typename Residual<FeedForward<S>>::Tape feed_forward;
    Tensor<S> between;  // (B*T, C): h; empty where it is computed again
    Tape() = default;
    Tape(const AttentionBlock& m, Shape in) : attention(m.attention, in), feed_forward(m.feed_forward, in) {
      if (!m.recomputes()) between = Tensor<S>({in.rows(), m.in_channels()});
    }
  };

  Residual<A> attention;
  Residual<FeedForward<S>> feed_forward;

  AttentionBlock() = default;
  AttentionBlock(NormKind norm, A a, FeedForward<S> f, double dropout)
      : attention(norm, std::move(a), dropout), feed_forward(norm, std::move(f), dropout) {}

  Index in_channels() const { return attention.in_channels(); }
  Index out_channels() const { return attention.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> h = kept_or_scratch(x, tape, frame);
    typename Residual<FeedForward<S>>::State none;
    attention.forward(ctx.site(0), x, h, state, tape.attention);
    feed_forward.forward(ctx.site(1), h, y, none, tape.feed_forward);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> h = frame.seq<S>(x.B, x.T, x.C);
    typename Residual<FeedForward<S>>::State none;
    attention.step(ctx.site(0), x, h, state);
    feed_forward.step(ctx.site(1), h, y, none);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, AttentionBlock& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> dh = frame.seq<S>(x.B, x.T, x.C);
    {
      Frame inner(ctx.scratch());
      const Seq<S> h = kept_or_scratch(x, tape, inner);
      if (recomputes()) attention.replay(ctx.site(0), x, h, tape.attention);
      typename Residual<FeedForward<S>>::State none;
      feed_forward.backward(ctx.site(1), h, dy, dh, grad.feed_forward, none, tape.feed_forward);
    }
    attention.backward(ctx.site(0), x, dh, dx, grad.attention, dstate, tape.attention);
  }

  Flops flops(Shape in) const { return attention.flops(in) + feed_forward.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double h = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    const bool kept = pass == Pass::forward && !recomputes(), again = pass == Pass::backward && recomputes();
    return (kept ? 0 : h) +
           std::max(attention.scratch(in, pass, threads), (again ? h : 0) + feed_forward.scratch(in, pass, threads));
  }

  void init(RandomKey key, const Init& how) {
    attention.init(key.child(0), how);
    feed_forward.init(key.child(1), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Residual<A>::visit(Name{&at, "attention"}, f, m.attention...);
    Residual<FeedForward<S>>::visit(Name{&at, "feed_forward"}, f, m.feed_forward...);
  }

 private:
  bool recomputes() const { return attention.branch.recompute; }
  Seq<S> kept_or_scratch(Seq<const S> x, Tape& tape, Frame& frame) const {
    return recomputes() ? frame.seq<S>(x.B, x.T, x.C) : Seq<S>{tape.between.data(), x.B, x.T, x.C};
  }
};

}  // namespace megalith

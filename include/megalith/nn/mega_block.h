// SPDX-License-Identifier: Apache-2.0
// The block of MEGA.
#pragma once

#include "megalith/kernels/add.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/mega_attention.h"
#include "megalith/nn/mega_config.h"
#include "megalith/nn/optional_norm.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// The attention of a block of that stack, whose settings have their defaults.
inline MegaAttentionConfig mega_attention_config(const StackConfig& stack, const MegaConfig& c) {
  return {.width = stack.width,
          .qk_width = c.qk_width,
          .value_width = c.value_width,
          .chunk = c.chunk,
          .states = c.states,
          .function = c.attention,
          .relative_bias = c.relative_bias,
          .rotary_base = c.rotary_base,
          .pre_norm = c.pre_norm,
          .norm = c.norm,
          .bias = stack.bias,
          .dropout = stack.dropout};
}

/// h = MegaAttention(x), whose update gate is its residual connection; y = h + dropout(feed_forward(norm(h))). Without
/// `pre_norm` y = norm(h + dropout(feed_forward(h))), and no norm ends the stack.
template <class S>
struct MegaBlock {
  using Scalar = S;
  using FinalNorm = OptionalNorm<S>;
  static FinalNorm final_norm(const StackConfig& stack) {
    const auto& c = stack.block.as<MegaConfig>();
    return {c.pre_norm, c.norm, stack.width};
  }
  struct State : MegaAttention<S>::State {  // the feed-forward half carries nothing
    State() = default;
    State(const MegaBlock& m, Index B, Index room = 0) : MegaAttention<S>::State(m.attention, B, room) {}
  };
  struct Tape {
    typename MegaAttention<S>::Tape attention;
    typename Norm<S>::Tape norm;
    typename FeedForward<S>::Tape feed_forward;
    Tensor<S> between;  // (B*T, D): h
    Tensor<S> sum;      // (B*T, D): what the norm read, where it is the last
    Tape() = default;
    Tape(const MegaBlock& m, Shape in)
        : attention(m.attention, in),
          norm(m.norm, in),
          feed_forward(m.feed_forward, in),
          between({in.rows(), m.in_channels()}) {
      if (!m.pre_norm()) sum = between;
    }
  };

  MegaAttention<S> attention;
  Norm<S> norm;
  FeedForward<S> feed_forward;
  Dropout<S> dropout;

  MegaBlock() = default;
  /// All layers are alike.
  explicit MegaBlock(const StackConfig& stack, Index = 0) : dropout(stack.dropout, stack.width) {
    const auto c = stack.block.as<MegaConfig>().with_defaults(stack);
    attention = MegaAttention<S>(mega_attention_config(stack, c));
    norm = {c.norm, stack.width};
    feed_forward = FeedForward<S>(FeedForwardConfig{.width = stack.width,
                                                    .hidden = c.hidden,
                                                    .activation = c.activation,
                                                    .bias = stack.bias,
                                                    .recompute = stack.recompute});
  }

  Index in_channels() const { return attention.in_channels(); }
  Index out_channels() const { return attention.in_channels(); }
  bool pre_norm() const { return attention.pre_norm; }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> h{tape.between.data(), x.B, x.T, x.C};
    NoState none;
    attention.forward(ctx.site(kAttentionSite), x, h, state, tape.attention);
    if (pre_norm()) {
      const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
      norm.forward(ctx, h, normed, none, tape.norm);
      feed_forward.forward(ctx.site(kFeedForwardSite), normed, y, none, tape.feed_forward);
      add_branch(ctx, h, y);
    } else {
      const Seq<S> sum{tape.sum.data(), x.B, x.T, x.C};
      feed_forward.forward(ctx.site(kFeedForwardSite), h, sum, none, tape.feed_forward);
      add_branch(ctx, h, sum);
      norm.forward(ctx, sum, y, none, tape.norm);
    }
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> h = frame.seq<S>(x.B, x.T, x.C), other = frame.seq<S>(x.B, x.T, x.C);  // the norm's input, or its output
    NoState none;
    attention.step(ctx.site(kAttentionSite), x, h, state);
    if (pre_norm()) {
      norm.step(ctx, h, other, none);
      feed_forward.step(ctx.site(kFeedForwardSite), other, y, none);
      add_branch(ctx, h, y);
    } else {
      feed_forward.step(ctx.site(kFeedForwardSite), h, other, none);
      add_branch(ctx, h, other);
      norm.step(ctx, other, y, none);
    }
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, MegaBlock& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> h{tape.between.data(), x.B, x.T, x.C};
    const Seq<S> dh = frame.seq<S>(x.B, x.T, x.C), masked = frame.seq<S>(x.B, x.T, x.C), other = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    const auto dropped = [&](Seq<const S> d) -> Seq<const S> {
      if (!dropout.active(ctx)) return d;
      dropout.apply(ctx.site(kDropoutSite), d, masked);
      return masked;
    };
    if (pre_norm()) {
      norm.step(ctx, h, other, none);
      feed_forward.backward(ctx.site(kFeedForwardSite), other, dropped(dy), dh, grad.feed_forward, none, tape.feed_forward);
      norm.backward(ctx, h, dh, dh, grad.norm, none, tape.norm);
      add_to(ctx, dy, dh);
    } else {
      const Seq<S> sum{tape.sum.data(), x.B, x.T, x.C};
      norm.backward(ctx, sum, dy, other, grad.norm, none, tape.norm);
      feed_forward.backward(ctx.site(kFeedForwardSite), h, dropped(other), dh, grad.feed_forward, none, tape.feed_forward);
      add_to(ctx, other, dh);
    }
    attention.backward(ctx.site(kAttentionSite), x, dh, dx, grad.attention, dstate, tape.attention);
  }

  Flops flops(Shape in) const { return attention.flops(in) + feed_forward.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double row = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    const double of_attention = attention.scratch(in, pass, threads),
                 of_feed_forward = feed_forward.scratch(in, pass, threads);
    if (pass == Pass::forward) return std::max(of_attention, (pre_norm() ? row : 0) + of_feed_forward);
    return (pass == Pass::step ? 2 : 3) * row + std::max(of_attention, of_feed_forward);
  }

  void init(RandomKey key, const Init& how) {
    attention.init(key.child(0), how);
    norm.init(key, how);
    feed_forward.init(key.child(1), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    MegaAttention<S>::visit(Name{&at, "attention"}, f, m.attention...);
    const Name half{&at, "feed_forward"};
    Norm<S>::visit(Name{&half, "norm"}, f, m.norm...);
    FeedForward<S>::visit(half, f, m.feed_forward...);
  }

 private:
  static constexpr std::uint64_t kAttentionSite = 0, kFeedForwardSite = 1, kDropoutSite = 2;

  /// y = h + dropout(y).
  void add_branch(const Context& ctx, Seq<const S> h, Seq<S> y) const {
    if (dropout.active(ctx)) dropout.apply(ctx.site(kDropoutSite), y, y);
    add_to(ctx, h, y);
  }
};

}  // namespace megalith

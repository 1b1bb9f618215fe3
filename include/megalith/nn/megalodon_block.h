// SPDX-License-Identifier: Apache-2.0
// The block of MEGALODON.
#pragma once

#include "megalith/kernels/add.h"
#include "megalith/kernels/copy.h"
#include "megalith/nn/attention_config.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/gated_attention.h"
#include "megalith/nn/megalodon_config.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// The attention of a block of that stack, whose settings have their defaults.
inline GatedAttentionConfig gated_attention_config(const StackConfig& stack, const MegalodonConfig& c) {
  return {.width = stack.width,
          .shape = {.heads = c.heads,
                    .kv_heads = c.heads,
                    .key_width = c.qk_width / c.heads,
                    .value_width = c.value_width / c.heads,
                    .mask = {MaskKind::chunk, c.chunk, 0}},
          .norm = c.norm,
          .groups = c.groups,
          .average = c.average,
          .states = c.states,
          .normalized = c.normalized,
          .gated = c.gated,
          .rotary_base = c.rotary_base,
          .bias = stack.bias};
}

/// h = x + attention(x); y = x + rescale feed_forward(norm(h)): with two hops (Ma et al. 2024, eq. 11), else y = h + ... The
/// norm in front of attention is a part of it; that of the feed-forward layer sees single positions.
template <class S>
struct MegalodonBlock {
  using Scalar = S;
  using FinalNorm = SequenceNorm<S>;
  static FinalNorm final_norm(const StackConfig& stack) {
    const auto c = stack.block.as<MegalodonConfig>().with_defaults(stack);
    return {c.norm, stack.width, c.groups};
  }
  struct State : GatedAttention<S>::State {  // the feed-forward half carries nothing
    State() = default;
    State(const MegalodonBlock& m, Index B, Index room = 0) : GatedAttention<S>::State(m.attention, B, room) {}
  };
  struct Tape {
    typename GatedAttention<S>::Tape attention;
    typename Norm<S>::Tape norm;
    typename FeedForward<S>::Tape feed_forward;
    Tensor<S> between;  // (B*T, D): h
    Tensor<S> added;    // (B*T, D): what the feed-forward layer gives; only with a rescale
    Tape() = default;
    Tape(const MegalodonBlock& m, Shape in)
        : attention(m.attention, in),
          norm(m.norm, in),
          feed_forward(m.feed_forward, in),
          between({in.rows(), m.in_channels()}) {
      if (!m.rescale.empty()) added = between;
    }
  };

  GatedAttention<S> attention;
  Norm<S> norm;
  FeedForward<S> feed_forward;
  Tensor<S> rescale;  // (D), or empty
  bool two_hop = true;
  Index layer = 0;
  Dropout<S> dropout;

  MegalodonBlock() = default;
  explicit MegalodonBlock(const StackConfig& stack, Index number = 0) : layer(number), dropout(stack.dropout, stack.width) {
    const auto c = stack.block.as<MegalodonConfig>().with_defaults(stack);
    attention = GatedAttention<S>(gated_attention_config(stack, c));
    norm = {SequenceNorm<S>::position_norm(c.norm), stack.width};
    feed_forward = FeedForward<S>(FeedForwardConfig{
        .width = stack.width, .hidden = c.hidden, .activation = c.activation, .bias = false, .recompute = stack.recompute});
    two_hop = c.two_hop;
    if (c.rescale) rescale = Tensor<S>({stack.width});
    rescale.fill(first_rescale());
  }

  Index in_channels() const { return attention.in_channels(); }
  Index out_channels() const { return attention.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> h{tape.between.data(), x.B, x.T, x.C}, normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    attention.forward(ctx.site(0), x, h, state, tape.attention);
    dropped(ctx, kAttentionSite, h, h);
    add_to(ctx, x, h);
    norm.forward(ctx, h, normed, none, tape.norm);
    feed_forward.forward(ctx.site(1), normed, y, none, tape.feed_forward);
    if (!rescale.empty()) copy(ctx, y, Seq<S>{tape.added.data(), y.B, y.T, y.C});
    finish(ctx, x, h, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> h = frame.seq<S>(x.B, x.T, x.C), normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    attention.step(ctx.site(0), x, h, state);
    dropped(ctx, kAttentionSite, h, h);
    add_to(ctx, x, h);
    norm.step(ctx, h, normed, none);
    feed_forward.step(ctx.site(1), normed, y, none);
    finish(ctx, x, h, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, MegalodonBlock& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> h{tape.between.data(), x.B, x.T, x.C};
    const Seq<S> dh = frame.seq<S>(x.B, x.T, x.C), normed = frame.seq<S>(x.B, x.T, x.C),
                 masked = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    // y = (x or h) + dropout(rescale f(norm(h))).
    norm.step(ctx, h, normed, none);
    Seq<const S> d = dropped(ctx, kFeedForwardSite, dy, masked);
    if (!rescale.empty()) {
      add_row_sums<S>(ctx, x.row_count(), grad.rescale.vec(), [&](Index i, Index first, RowMap<S> total) {
        total.array() +=
            row_map(d.row(i) + first, total.size()).array() * row_map(tape.added.row(i) + first, total.size()).array();
      });
      multiply(ctx, d, masked);
      d = masked;
    }
    feed_forward.backward(ctx.site(1), normed, d, dh, grad.feed_forward, none, tape.feed_forward);
    norm.backward(ctx, h, dh, dh, grad.norm, none, tape.norm);
    if (!two_hop) add_to(ctx, dy, dh);
    // h = x + dropout(attention(x)).
    attention.backward(ctx.site(0), x, dropped(ctx, kAttentionSite, dh, masked), dx, grad.attention, dstate, tape.attention);
    add_to(ctx, dh, dx);
    if (two_hop) add_to(ctx, dy, dx);
  }

  Flops flops(Shape in) const { return attention.flops(in) + feed_forward.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double row = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    const int own = pass == Pass::forward ? 1 : pass == Pass::step ? 2 : 3;
    return own * row + std::max(attention.scratch(in, pass, threads), feed_forward.scratch(in, pass, threads));
  }

  void init(RandomKey key, const Init& how) {
    attention.init(key.child(0), how);
    norm.init(key, how);
    feed_forward.init(key.child(1), how);
    rescale.fill(first_rescale());
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    GatedAttention<S>::visit(Name{&at, "attention"}, f, m.attention...);
    const Name half{&at, "feed_forward"};
    Norm<S>::visit(Name{&half, "norm"}, f, m.norm...);
    FeedForward<S>::visit(half, f, m.feed_forward...);
    if ((!m.rescale.empty() || ...)) f(Name{&half, "rescale", Role::gain}, m.rescale...);
  }

 private:
  static constexpr std::uint64_t kAttentionSite = 2, kFeedForwardSite = 3;

  /// The authors' first value.
  S first_rescale() const { return S(0.1 * std::pow(0.5, static_cast<double>(layer))); }

  /// x, or where there is dropout what it makes of x, in y.
  Seq<const S> dropped(const Context& ctx, std::uint64_t site, Seq<const S> x, Seq<S> y) const {
    if (!dropout.active(ctx)) return x;
    dropout.apply(ctx.site(site), x, y);
    return y;
  }
  /// y = (x or h) + dropout(rescale y).
  void finish(const Context& ctx, Seq<const S> x, Seq<const S> h, Seq<S> y) const {
    if (!rescale.empty()) multiply(ctx, y, y);
    dropped(ctx, kFeedForwardSite, y, y);
    add_to(ctx, two_hop ? x : h, y);
  }
  /// y = rescale x.
  void multiply(const Context& ctx, Seq<const S> x, Seq<S> y) const {
    ctx.parallel_rows(y.row_count(), y.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i)
        row_map(y.row(i), y.C).array() = row_map(x.row(i), x.C).array() * rescale.vec().array();
    });
  }
};

}  // namespace megalith

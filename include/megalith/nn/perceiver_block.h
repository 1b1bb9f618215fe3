// SPDX-License-Identifier: Apache-2.0
// The blocks of Perceiver AR (Hawthorne et al. 2022).
#pragma once

#include "megalith/nn/chunks.h"
#include "megalith/nn/cross_attention.h"
#include "megalith/nn/perceiver_config.h"
#include "megalith/nn/transformer_block.h"

namespace megalith {

/// Layer 0: l = latents(x); h = l + attention(norm(l), norm(x)); y = h + feed_forward(norm(h)). The others: a transformer
/// block in chunks of N positions. Layer 0 may be asked for the last rows of y alone, from a chunk's start on.
template <class S>
struct PerceiverBlock {
  using Scalar = S;
  using FinalNorm = Norm<S>;
  static FinalNorm final_norm(const StackConfig& c) { return {c.block.as<PerceiverConfig>().layer.norm, c.width}; }

  struct State : TransformerBlock<S>::State {
    State() = default;
    State(const PerceiverBlock& m, Index B, Index room = 0) {
      AttentionState<S>& keys_values = *this;
      keys_values = m.crosses ? AttentionState<S>(m.cross, B, room) : AttentionState<S>(m.block.attention.branch, B, room);
    }
  };
  struct Tape {
    typename CrossAttention<S>::Tape cross;
    typename TransformerBlock<S>::Tape block;  // of layer 0: its feed-forward half, and h
    Tape() = default;
    Tape(const PerceiverBlock& m, Shape in) {
      if (!m.crosses) {
        block = {m.block, in};
        return;
      }
      const Shape out{in.B, m.in_chunks.out_rows(in.T)};
      cross = {m.cross, in, out.T};
      block.feed_forward = {m.block.feed_forward, out};
      block.between = Tensor<S>({out.rows(), m.in_channels()});
    }
  };

  Chunks in_chunks;           // of N positions
  bool crosses = false;       // layer 0
  CrossAttention<S> cross;    // of layer 0
  TransformerBlock<S> block;  // of layer 0: its feed-forward half

  PerceiverBlock() = default;
  explicit PerceiverBlock(const StackConfig& stack, Index layer) : crosses(layer == 0) {
    const auto& c = stack.block.as<PerceiverConfig>();
    in_chunks = {c.latents, c.predicted};
    StackConfig alike = stack;
    alike.block = c.layer;
    alike.chunk = crosses ? 0 : c.latents;
    block = TransformerBlock<S>(alike);
    if (!crosses) return;
    cross = {c.layer.norm, attention_config(alike), stack.dropout};
    block.attention = {};
  }

  Index in_channels() const { return block.feed_forward.in_channels(); }
  Index out_channels() const { return in_channels(); }
  Chunks chunks() const { return in_chunks; }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    if (!crosses) return block.forward(ctx, x, y, state, tape.block);
    const Seq<S> h{tape.block.between.data(), y.B, y.T, y.C};
    NoFeedForwardState none;
    cross.forward(ctx.site(0), x, h, state, tape.cross);
    block.feed_forward.forward(at_last_rows(ctx, x, y), h, y, none, tape.block.feed_forward);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    if (!crosses) return block.step(ctx, x, y, state);
    Frame frame(ctx.scratch());
    const Seq<S> h = frame.seq<S>(y.B, y.T, y.C);
    NoFeedForwardState none;
    cross.step(ctx.site(0), x, h, state);
    if (y.T > 0) block.feed_forward.step(at_last_rows(ctx, x, y), h, y, none);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, PerceiverBlock& grad, State& dstate,
                Tape& tape) const {
    if (!crosses) return block.backward(ctx, x, dy, dx, grad.block, dstate, tape.block);
    Frame frame(ctx.scratch());
    const Seq<S> h{tape.block.between.data(), dy.B, dy.T, dy.C}, dh = frame.seq<S>(dy.B, dy.T, dy.C);
    NoFeedForwardState none;
    block.feed_forward.backward(at_last_rows(ctx, x, dy), h, dy, dh, grad.block.feed_forward, none, tape.block.feed_forward);
    cross.backward(ctx.site(0), x, dh, dx, grad.cross, dstate, tape.cross);
  }

  Flops flops(Shape in) const {
    const Shape out{in.B, in_chunks.out_rows(in.T)};
    return crosses ? cross.flops(in, out.T) + block.feed_forward.flops(out) : block.flops(in);
  }
  double scratch(Shape in, Pass pass, int threads) const {
    if (!crosses) return block.scratch(in, pass, threads);
    const Shape out{in.B, pass == Pass::step ? in.T : in_chunks.out_rows(in.T)};
    const double h = static_cast<double>(out.rows()) * static_cast<double>(in_channels());
    return (pass == Pass::forward ? 0 : h) +
           std::max(cross.scratch(in, out.T, pass, threads), block.feed_forward.scratch(out, pass, threads));
  }

  void init(RandomKey key, const Init& how) {
    if (!crosses) return block.init(key, how);
    cross.init(key.child(0), how);
    block.feed_forward.init(key.child(1), how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    if (!(m.crosses && ...)) return TransformerBlock<S>::visit(at, f, m.block...);
    CrossAttention<S>::visit(Name{&at, "attention"}, f, m.cross...);
    Residual<FeedForward<S>>::visit(Name{&at, "feed_forward"}, f, m.block.feed_forward...);
  }

 private:
  using NoFeedForwardState = typename Residual<FeedForward<S>>::State;
  template <class Y>
  static Context at_last_rows(const Context& ctx, Seq<const S> x, const Y& y) {
    return ctx.site(1).from_position(x.T - y.T);
  }
};

}  // namespace megalith

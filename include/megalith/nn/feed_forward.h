// SPDX-License-Identifier: Apache-2.0
// The position-wise feed-forward layer.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// y = activation(x W_up + b_up) W_down + b_down (Vaswani et al. 2017, eq. 2, with a choice of activation). With SwiGLU W_up
/// is twice as wide: gates first, then values.
template <class S>
struct FeedForward {
  using Scalar = S;
  using State = NoState;
  struct Tape {
    Tensor<S> hidden;  // (B*T, F or 2F): x W_up + b_up; empty where it is computed again
    Tape() = default;
    Tape(const FeedForward& m, Shape in) {
      if (!m.recompute) hidden = Tensor<S>({in.rows(), m.up.out_channels()});
    }
  };

  Activation activation = Activation::relu;
  bool recompute = false;
  Linear<S> up, down;

  FeedForward() = default;
  explicit FeedForward(const StackConfig& c)
      : activation(c.activation),
        recompute(c.recompute),
        up(c.width, hidden_width(c) * (c.activation == Activation::swiglu ? 2 : 1), c.bias),
        down(hidden_width(c), c.width, c.bias) {}

  Index in_channels() const { return up.in_channels(); }
  Index out_channels() const { return down.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape& tape) const { run(ctx, x, y, tape.hidden); }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const {
    Tensor<S> nothing_kept;
    run(ctx, x, y, nothing_kept);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, FeedForward& grad, State&,
                Tape& tape) const {
    for_each_tile(ctx, x, tape.hidden, [&](Index begin, Index rows, Seq<S> hidden, Frame& frame) {
      const auto tile = [&](auto seq) { return decltype(seq){seq.row(begin), 1, rows, seq.C}; };
      if (recompute) up.apply(ctx, tile(x), hidden);
      const Seq<S> active = frame.seq<S>(1, rows, down.in_channels());
      const Seq<S> dactive = frame.seq<S>(1, rows, down.in_channels());
      const Seq<S> dhidden = frame.seq<S>(1, rows, up.out_channels());
      gemm<S>(ctx, tile(dy), transposed<S>(down.weight), dactive);
      activation_backward(ctx, hidden, dactive, active, dhidden);
      down.accumulate(ctx, active, tile(dy), grad.down);
      gemm<S>(ctx, dhidden, transposed<S>(up.weight), tile(dx));
      up.accumulate(ctx, tile(x), dhidden, grad.up);
    });
  }

  double flops(Shape in) const { return up.flops(in) + down.flops(in); }

  void init(RandomKey key, const Init& how) {
    up.init(key.child(0), how);
    down.init(key.child(1), how);
    down.weight.vec() *= S(how.residual);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(Name{&at, "up"}, f, m.up...);
    Linear<S>::visit(Name{&at, "down"}, f, m.down...);
  }

 private:
  static constexpr Index kTileRows = 1024;

  /// f(first row, rows, their part of `hidden` or, where that is empty, of scratch, frame) over tiles of rows: what is
  /// needed of the wide layer for a moment does not grow with the sequence.
  template <class F>
  void for_each_tile(const Context& ctx, Seq<const S> x, Tensor<S>& hidden, F&& f) const {
    for (Index begin = 0; begin < x.row_count(); begin += kTileRows) {
      const Index rows = std::min(kTileRows, x.row_count() - begin);
      Frame frame(ctx.scratch());
      f(begin, rows,
        hidden.empty() ? frame.seq<S>(1, rows, up.out_channels()) : Seq<S>{hidden.row(begin), 1, rows, up.out_channels()},
        frame);
    }
  }

  void run(const Context& ctx, Seq<const S> x, Seq<S> y, Tensor<S>& kept) const {
    for_each_tile(ctx, x, kept, [&](Index begin, Index rows, Seq<S> hidden, Frame& frame) {
      const Seq<S> active = frame.seq<S>(1, rows, down.in_channels());
      up.apply(ctx, {x.row(begin), 1, rows, x.C}, hidden);
      activate(ctx, hidden, active);
      down.apply(ctx, active, {y.row(begin), 1, rows, y.C});
    });
  }

  /// active = activation(hidden).
  void activate(const Context& ctx, Seq<const S> hidden, Seq<S> active) const {
    ctx.parallel_rows(active.row_count(), active.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) activate_row(hidden.row(i), row_map(active.row(i), active.C));
    });
  }
  void activate_row(const S* hidden, RowMap<S> active) const {
    const RowMap<const S> h(hidden, active.size());
    switch (activation) {
      case Activation::relu:
        return Relu::forward<S>(h, active);
      case Activation::relu_squared:
        return ReluSquared::forward<S>(h, active);
      case Activation::gelu:
        return Gelu::forward<S>(h, active);
      case Activation::swiglu:
        return SwiGlu::forward<S>(h, row_map(hidden + active.size(), active.size()), active);
    }
  }

  /// active again, and dhidden from dactive, in one pass over hidden.
  void activation_backward(const Context& ctx, Seq<const S> hidden, Seq<const S> dactive, Seq<S> active, Seq<S> dhidden) const {
    const Index F = dactive.C;
    ctx.parallel_rows(dactive.row_count(), F, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        activate_row(hidden.row(i), row_map(active.row(i), F));
        const auto h = row_map(hidden.row(i), F);
        const auto da = row_map(dactive.row(i), F);
        const auto dh = row_map(dhidden.row(i), F);
        switch (activation) {
          case Activation::relu:
            Relu::backward<S>(h, da, dh);
            break;
          case Activation::relu_squared:
            ReluSquared::backward<S>(h, da, dh);
            break;
          case Activation::gelu:
            Gelu::backward<S>(h, da, dh);
            break;
          case Activation::swiglu:
            SwiGlu::backward<S>(h, row_map(hidden.row(i) + F, F), da, dh, row_map(dhidden.row(i) + F, F));
            break;
        }
      }
    });
  }
};

}  // namespace megalith

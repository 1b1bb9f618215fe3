// SPDX-License-Identifier: Apache-2.0
// The position-wise feed-forward layer.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/nn/linear.h"

namespace megalith {

struct FeedForwardConfig {
  Index width = 512;    // C
  Index hidden = 2048;  // F
  Activation activation = Activation::relu;
  bool bias = true;
  bool recompute = false;  // the hidden layer is not kept for backward
};

/// F of a layer that leaves it open: 4 * width, or 8/3 * width, rounded up to 8, where the activation is gated.
inline Index default_hidden_width(Index width, Activation activation) {
  return is_gated(activation) ? (width * 8 / 3 + 7) / 8 * 8 : 4 * width;
}

/// y = activation(x W_up + b_up) W_down + b_down (Vaswani et al. 2017, eq. 2, with a choice of activation). With a gated one
/// W_up is twice as wide: gates first, then values.
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
  explicit FeedForward(const FeedForwardConfig& c)
      : activation(c.activation),
        recompute(c.recompute),
        up(c.width, c.hidden * (is_gated(c.activation) ? 2 : 1), c.bias),
        down(c.hidden, c.width, c.bias) {}

  Index in_channels() const { return up.in_channels(); }
  Index out_channels() const { return down.out_channels(); }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Tape nothing_kept;
    forward(ctx, x, y, state, nothing_kept);
  }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape& tape) const {
    for_each_tile(ctx, x, tape.hidden, [&](Index begin, Index rows, Seq<S> hidden, Frame& frame) {
      const Seq<S> active = frame.seq<S>(1, rows, down.in_channels());
      up.apply(ctx, tile(x, begin, rows), hidden);
      for_each_active_row(ctx, active, [&]<class A>(A, Index i) {
        activation_forward<A, S>(hidden.row(i), row_map(active.row(i), active.C));
      });
      down.apply(ctx, active, tile(y, begin, rows));
    });
  }

  /// Forward was: h = x W_up + b_up, a = activation(h), y = a W_down + b_down. So da = dy W_down^T, dh = activation'(h) da,
  /// dx = dh W_up^T, dW_down += a^T dy and dW_up += x^T dh. a, and h with `recompute`, are computed again.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, FeedForward& grad, State&,
                Tape& tape) const {
    for_each_tile(ctx, x, tape.hidden, [&](Index begin, Index rows, Seq<S> hidden, Frame& frame) {
      const Seq<const S> x_tile = tile(x, begin, rows), dy_tile = tile(dy, begin, rows);
      if (recompute) up.apply(ctx, x_tile, hidden);
      const Seq<S> active = frame.seq<S>(1, rows, down.in_channels());
      const Seq<S> dactive = frame.seq<S>(1, rows, down.in_channels());
      const Seq<S> dhidden = frame.seq<S>(1, rows, up.out_channels());
      gemm<S>(ctx, dy_tile, transposed<S>(down.weight), dactive);
      for_each_active_row(ctx, active, [&]<class A>(A, Index i) {
        activation_forward<A, S>(hidden.row(i), row_map(active.row(i), active.C));
        activation_backward<A, S>(hidden.row(i), RowMap<const S>(dactive.row(i), active.C), dhidden.row(i));
      });
      down.accumulate(ctx, active, dy_tile, grad.down);
      gemm<S>(ctx, dhidden, transposed<S>(up.weight), tile(dx, begin, rows));
      up.accumulate(ctx, x_tile, dhidden, grad.up);
    });
  }

  Flops flops(Shape in) const { return up.flops(in) + down.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const Shape at_once{1, std::min(kTileRows, in.rows())};
    const double tile = static_cast<double>(at_once.T);
    const double F = static_cast<double>(down.in_channels()), wide = static_cast<double>(up.out_channels());
    const bool keeps = pass != Pass::step && !recompute;
    return tile * ((pass == Pass::backward ? 2 * F + wide : F) + (keeps ? 0 : wide)) +
           std::max(up.scratch(at_once, pass, threads), down.scratch(at_once, pass, threads));
  }

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

  /// f(first row, rows, their part of `hidden` or scratch where that is empty, frame) over tiles of rows, which keep the
  /// scratch of the wide layer from growing with the sequence.
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

  /// Rows [begin, begin + rows) of x.
  template <class T>
  static Seq<T> tile(Seq<T> x, Index begin, Index rows) {
    return {x.row(begin), 1, rows, x.C};
  }

  /// f(A{}, i) for each row of `active`, A being the activation.
  template <class F>
  void for_each_active_row(const Context& ctx, Seq<S> active, F&& f) const {
    with_activation(activation, [&]<class A>(A a) {
      ctx.parallel_rows(active.row_count(), active.C, [&](Index begin, Index end, Arena&) {
        for (Index i = begin; i < end; ++i) f(a, i);
      });
    });
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// A convolution over positions that looks back.
#pragma once

#include "megalith/nn/linear.h"

namespace megalith {

/// y_t = sum_i x_{t-w+1+i} W_i + b, i from 0 to w-1: w rows of x, the last of them row t, side by side, times one matrix.
/// Before a sequence stand zeros. The rows overlap in memory, so that nothing is copied for each of them.
template <class S>
struct CausalConvolution {
  using Scalar = S;
  struct State {
    Tensor<S> rows;  // (B, w-1, C): the last rows of x; empty when closed
    State() = default;
    State(const CausalConvolution& m, Index B, Index room = 0) {
      if (room > 0 && m.width > 1) rows = Tensor<S>({B, m.width - 1, m.in_channels()});
    }
    bool open() const { return !rows.empty(); }
    void reset(Index = 0) { rows.fill(S(0)); }
    bool valid(Index) const { return true; }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      if ((state.open() || ...)) f(Name{&at, "rows"}, state.rows...);
    }
    template <class F, class... St>
    static void visit_all(const Name& at, F&& f, St&... state) {
      visit(at, f, state...);
    }
  };
  struct Tape {
    State received;  // the state that forward began with; only of an open one; made by the first forward
    Tape() = default;
    Tape(const CausalConvolution&, Shape) {}
  };

  Index width = 1;   // w
  Linear<S> linear;  // (w*C, outputs): W_0, which reads the oldest row, first

  CausalConvolution() = default;
  CausalConvolution(Index w, Index inputs, Index outputs, bool bias) : width(w), linear(w * inputs, outputs, bias) {}

  Index in_channels() const { return linear.in_channels() / width; }
  Index out_channels() const { return linear.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    tape.received = state;
    step(ctx, x, y, state);
  }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> past = with_past(ctx, x, state, frame);
    for (Index b = 0; b < x.B; ++b)
      gemm<S>(ctx, windows<S>(past, b, x.T), linear.weight, {y.row(b * x.T), x.T, y.C, y.C}, Into::overwrite,
              linear.bias.data());
    if (!state.open()) return;
    ctx.parallel_ranges(x.B, 1, [&](Index b, Index, Arena&) {
      std::copy_n(past.row(b * past.T + x.T), before() * x.C, state.rows.data() + b * before() * x.C);
    });
  }

  /// forward was: y_t = sum_i p_{t+i} W_i + b, p being x after the w-1 rows before it. So dW_i = sum_t p_{t+i}^T dy_t, and
  /// dp_s = sum_i dy_{s-i} W_i^T: the same with rows of dy that look ahead, and zeros around them.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, CausalConvolution& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> past = with_past(ctx, x, tape.received, frame);
    const Seq<S> padded = with_zeros(ctx, dy, frame), reversed = reversed_weight(ctx, frame);
    const bool open = dstate.open();
    const Seq<S> dp = open ? frame.seq<S>(x.B, past.T, x.C) : dx;
    for (Index b = 0; b < x.B; ++b) {
      const Operand<S> p = windows<S>(past, b, x.T);
      const Seq<const S> dy_b{dy.row(b * x.T), 1, x.T, dy.C};
      if (linear.bias.empty()) gemm<S>(ctx, p.transpose(), dy_b, grad.linear.weight, Into::add);
      else gemm_and_sums<S>(ctx, p.transpose(), dy_b, grad.linear.weight, grad.linear.bias.vec());
      gemm<S>(ctx, windows<S>(padded, b, dp.T, open ? 0 : before()), reversed, {dp.row(b * dp.T), dp.T, x.C, x.C});
    }
    if (open) split_gradient(ctx, dp, dx, dstate);
  }

  /// Each row has w products, those by the zeros before a sequence too.
  Flops flops(Shape in) const { return linear.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double C = static_cast<double>(in_channels()), outputs = static_cast<double>(out_channels());
    const double past = static_cast<double>(in.B) * static_cast<double>(in.T + before());
    const double padded = static_cast<double>(in.B) * static_cast<double>(in.T + 2 * before());
    const Shape at_once{1, in.T};
    const double products = std::max(linear.scratch(at_once, Pass::forward, threads),
                                     pass == Pass::backward ? linear.scratch(at_once, pass, threads) : 0);
    const double in_backward = padded * outputs + static_cast<double>(width) * C * outputs;
    return past * C + (pass == Pass::backward ? in_backward : 0) + products;
  }

  void init(RandomKey key, const Init& how) { linear.init(key, how); }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(at, f, m.linear...);
  }

 private:
  /// Rows that a row reads before its own.
  Index before() const { return width - 1; }

  /// (rows, w*C): row t is the rows [first + t, first + t + w) of sequence b of x, side by side.
  template <class T>
  Operand<T> windows(Seq<const T> x, Index b, Index rows, Index first = 0) const {
    return {x.row(b * x.T + first), rows, width * x.C, x.C};
  }

  /// (B, w-1 + T, C): each sequence after what the state has seen last, or zeros.
  Seq<S> with_past(const Context& ctx, Seq<const S> x, const State& state, Frame& frame) const {
    const Seq<S> past = frame.seq<S>(x.B, before() + x.T, x.C);
    ctx.parallel_rows(past.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / past.T, t = i % past.T - before();
        auto row = row_map(past.row(i), x.C);
        if (t >= 0) row = row_map(x.row(b * x.T + t), x.C);
        else if (state.open()) row = row_map(state.rows.row((b + 1) * before() + t), x.C);
        else row.setConstant(S(0));
      }
    });
    return past;
  }
  /// (B, w-1 + T + w-1, outputs): dy with zeros before and after each sequence.
  Seq<S> with_zeros(const Context& ctx, Seq<const S> dy, Frame& frame) const {
    const Seq<S> padded = frame.seq<S>(dy.B, dy.T + 2 * before(), dy.C);
    ctx.parallel_rows(padded.row_count(), dy.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / padded.T, t = i % padded.T - before();
        auto row = row_map(padded.row(i), dy.C);
        if (t >= 0 && t < dy.T) row = row_map(dy.row(b * dy.T + t), dy.C);
        else row.setConstant(S(0));
      }
    });
    return padded;
  }
  /// (w*outputs, C): W_{w-1}^T to W_0^T, one below the other.
  Seq<S> reversed_weight(const Context& ctx, Frame& frame) const {
    const Index C = in_channels(), outputs = out_channels();
    const Seq<S> reversed = frame.seq<S>(1, width * outputs, C);
    ctx.parallel_ranges(width, 1, [&](Index i, Index, Arena&) {
      MatrixMap<S>(reversed.row((before() - i) * outputs), outputs, C) =
          MatrixMap<const S>(linear.weight.row(i * C), C, outputs).transpose();
    });
    return reversed;
  }
  /// dp (B, w-1 + T, C) becomes the gradients of the state received and of x; the rows that the state left took go on to
  /// later ones.
  void split_gradient(const Context& ctx, Seq<S> dp, Seq<S> dx, State& dstate) const {
    ctx.parallel_ranges(dx.B, 1, [&](Index b, Index, Arena&) {
      const Index state = before() * dx.C;
      S *const d = dp.row(b * dp.T), *const of_state = dstate.rows.data() + b * state;
      row_map(d + dx.T * dx.C, state) += row_map(of_state, state);
      std::copy_n(d, state, of_state);
      std::copy_n(d + state, dx.T * dx.C, dx.row(b * dx.T));
    });
  }
};

}  // namespace megalith

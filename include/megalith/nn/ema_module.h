// SPDX-License-Identifier: Apache-2.0
// What moving averages have in common but their coefficients.
#pragma once

#include "megalith/kernels/ema.h"
#include "megalith/nn/ema_state.h"
#include "megalith/nn/logistic.h"
#include "megalith/nn/module.h"

namespace megalith {

/// A moving average of N states for each of D channels, y (B,T,D) from x (B,T,D), of a type Own that says for channel d
///
///   set_coefficients(d, table)           q, and k, which is the output's weight times the input's, of its states
///   add_gradient(d, gradient, grad)      from the gradients of those to the ones of its parameters, but omega
template <class Own, class S, bool complex>
struct EmaModule {
  using Scalar = S;
  using Kernel = Ema<S, complex>;
  using State = EmaState<S>;
  struct Tape {
    Tensor<S> kept;  // (B * pieces of T, numbers of the states, D): the states before each piece of rows
    Tape() = default;
    Tape(const Own& m, Shape in) : kept(Kernel::kept(in, m.states(), m.in_channels())) {}
  };

  Tensor<S> alpha, delta;  // (D, N): logits of the weight of the input, and of its share in what is forgotten
  Tensor<S> omega;         // (D): of the input that is added to the output

  EmaModule() = default;
  EmaModule(Index channels, Index N) : alpha({channels, N}), delta({channels, N}), omega({channels}) {}

  Index in_channels() const { return omega.size(); }
  Index out_channels() const { return omega.size(); }
  Index states() const { return alpha.cols(); }
  Index state_numbers() const { return Kernel::kParts * states(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    Kernel::forward(ctx, coefficients(ctx, frame), x, y, state.data(), tape.kept.data());
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    Kernel::forward(ctx, coefficients(ctx, frame), x, y, state.data(), nullptr);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Own& grad, State& dstate, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Index D = in_channels(), N = states();
    const typename Kernel::Gradient d{frame.take<S>(Kernel::Gradient::size(N, D)), N, D};
    Kernel::backward(ctx, coefficients(ctx, frame), x, dy, dx, tape.kept.data(), dstate.data(), d);
    for_each_channel(ctx, [&](Index c) {
      grad.omega.data()[c] += d.at(N, 0, c);
      own().add_gradient(c, d, grad);
    });
  }

  Flops flops(Shape in) const { return {.mixing = Kernel::flops(in, states(), in_channels())}; }
  double scratch(Shape in, Pass pass, int threads) const {
    return Kernel::scratch(in, states(), in_channels(), pass == Pass::backward, threads);
  }

 protected:
  /// 1 / sqrt(N), by which what the states give is multiplied.
  Wide<S> scale() const { return Wide<S>(1 / std::sqrt(static_cast<double>(states()))); }

 private:
  static constexpr Index kWorkOfState = 64;  // as a count of numbers that are read or written

  const Own& own() const { return static_cast<const Own&>(*this); }
  /// f(channel), on all threads.
  template <class F>
  void for_each_channel(const Context& ctx, F&& f) const {
    ctx.parallel_rows(in_channels(), kWorkOfState * states(), [&](Index begin, Index end, Arena&) {
      for (Index c = begin; c < end; ++c) f(c);
    });
  }
  typename Kernel::Coefficients coefficients(const Context& ctx, Frame& frame) const {
    const Index D = in_channels(), N = states(), size = Kernel::Coefficients::size(N, D);
    const typename Kernel::Coefficients all{frame.take<S>(size), N, D};
    row_map(all.data, size).setConstant(S(0));
    for_each_channel(ctx, [&](Index c) {
      all.at(N, 0, c) = omega.data()[c];
      own().set_coefficients(c, all);
    });
    return all;
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The damped exponential moving average.
#pragma once

#include "megalith/kernels/ema.h"
#include "megalith/nn/ema_state.h"
#include "megalith/nn/logistic.h"
#include "megalith/nn/module.h"

namespace megalith {

/// The multi-dimensional damped EMA of MEGA (Ma et al. 2022, 3.1), as its authors' code has it: for each channel N states,
///
///   h_t = q h_{t-1} + p beta x_t,   y_t = sum_n g_n h_{t,n} + omega x_t
///   p = sigma(alpha)   q = 1 - sigma(alpha) sigma(delta)   g = gamma / sqrt(N)
///
/// The SiLU that MEGA puts behind it is not part of it. The State holds s = h / (p beta).
template <class S>
struct RealEma {
  using Scalar = S;
  using Kernel = Ema<S, false>;
  using State = EmaState<S>;
  struct Tape {
    Tensor<S> kept;
    Tape() = default;
    Tape(const RealEma& m, Shape in) : kept(Kernel::kept(in, m.states(), m.in_channels())) {}
  };

  Tensor<S> alpha, delta;  // (D, N): logits of the weight of the input, and of its share in what is forgotten
  Tensor<S> beta, gamma;   // (D, N)
  Tensor<S> omega;         // (D)

  RealEma() = default;
  RealEma(Index channels, Index N)
      : alpha({channels, N}), delta({channels, N}), beta({channels, N}), gamma({channels, N}), omega({channels}) {}

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
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, RealEma& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const typename Kernel::Gradient d{frame.take<S>(Kernel::Gradient::size(states(), in_channels())), states(),
                                      in_channels()};
    Kernel::backward(ctx, coefficients(ctx, frame), x, dy, dx, tape.kept.data(), dstate.data(), d);
    ctx.parallel_rows(in_channels(), 16 * states(), [&](Index begin, Index end, Arena&) {
      for (Index c = begin; c < end; ++c) add_gradient(c, d, grad);
    });
  }

  Flops flops(Shape in) const { return {.mixing = Kernel::flops(in, states(), in_channels())}; }
  double scratch(Shape in, Pass pass, int threads) const {
    return Kernel::scratch(in, states(), in_channels(), pass == Pass::backward, threads);
  }

  /// The authors' first values, normal ones truncated at two deviations: alpha, delta N(0, 0.2²); beta 1 and -1 in turn,
  /// with N(0, 0.02²); gamma, omega N(0, 1).
  void init(RandomKey key, const Init&) {
    init_weight(alpha, key.child(0), 0.2, 1);
    init_weight(delta, key.child(1), 0.2, 1);
    init_weight(beta, key.child(2), 0.02, 1);
    init_weight(gamma, key.child(3), 1, 1);
    init_weight(omega, key.child(4), 1, 1);
    for (Index i = 0; i < beta.size(); ++i) beta.data()[i] += S(i % states() % 2 == 0 ? 1 : -1);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "alpha"}, m.alpha...);
    f(Name{&at, "delta"}, m.delta...);
    f(Name{&at, "beta"}, m.beta...);
    f(Name{&at, "gamma"}, m.gamma...);
    f(Name{&at, "omega"}, m.omega...);
  }

 private:
  using Wide = megalith::Wide<S>;

  Wide scale() const { return Wide(1 / std::sqrt(static_cast<double>(states()))); }

  typename Kernel::Coefficients coefficients(const Context& ctx, Frame& frame) const {
    const Index D = in_channels(), N = states();
    const typename Kernel::Coefficients all{frame.take<S>(Kernel::Coefficients::size(N, D)), N, D};
    row_map(all.data, Kernel::Coefficients::size(N, D)).setConstant(S(0));
    ctx.parallel_rows(D, 16 * N, [&](Index begin, Index end, Arena&) {
      for (Index d = begin; d < end; ++d) {
        all.at(N, 0, d) = omega.data()[d];
        for (Index n = 0, i = d * N; n < N; ++n, ++i) {
          const Wide p = logistic(alpha.data()[i]), weight = p * Wide(beta.data()[i]) * Wide(gamma.data()[i]);
          Kernel::set(all, n, d, S(Wide(1) - p * logistic(delta.data()[i])), S(weight * scale()));
        }
      }
    });
    return all;
  }

  /// From the gradient of q and k = p beta g of channel d to that of the parameters.
  void add_gradient(Index d, const typename Kernel::Gradient& of, RealEma& grad) const {
    grad.omega.data()[d] += of.at(states(), 0, d);
    for (Index n = 0, i = d * states(); n < states(); ++n, ++i) {
      const Wide dq = Wide(of.at(n, 0, d)), dk = scale() * Wide(of.at(n, 1, d));
      const Wide p = logistic(alpha.data()[i]), share = logistic(delta.data()[i]);
      const Wide b = Wide(beta.data()[i]), g = Wide(gamma.data()[i]);
      grad.alpha.data()[i] += S((b * g * dk - share * dq) * p * (Wide(1) - p));
      grad.delta.data()[i] += S(-p * dq * share * (Wide(1) - share));
      grad.beta.data()[i] += S(p * g * dk);
      grad.gamma.data()[i] += S(p * b * dk);
    }
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The damped exponential moving average.
#pragma once

#include "megalith/nn/ema_module.h"

namespace megalith {

/// The multi-dimensional damped EMA of MEGA (Ma et al. 2022, 3.1), as its authors' code has it: for each channel N states,
///
///   h_t = q h_{t-1} + p beta x_t,   y_t = sum_n g_n h_{t,n} + omega x_t
///   p = sigma(alpha)   q = 1 - sigma(alpha) sigma(delta)   g = gamma / sqrt(N)
///
/// The SiLU that MEGA puts behind it is not part of it. The State holds s = h / (p beta).
template <class S>
struct RealEma : EmaModule<RealEma<S>, S, false> {
  using Base = EmaModule<RealEma, S, false>;
  using Base::alpha, Base::delta, Base::omega, Base::states;
  using typename Base::Kernel;

  Tensor<S> beta, gamma;  // (D, N)

  RealEma() = default;
  RealEma(Index channels, Index N) : Base(channels, N), beta({channels, N}), gamma({channels, N}) {}

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
  friend Base;
  using Base::scale;
  using Wide = megalith::Wide<S>;

  void set_coefficients(Index d, const typename Kernel::Coefficients& table) const {
    for (Index n = 0, i = d * states(); n < states(); ++n, ++i) {
      const Wide p = logistic(alpha.data()[i]), weight = p * Wide(beta.data()[i]) * Wide(gamma.data()[i]);
      Kernel::set(table, n, d, S(Wide(1) - p * logistic(delta.data()[i])), S(weight * scale()));
    }
  }

  /// From the gradient of q and k = p beta g of channel d to that of the parameters.
  void add_gradient(Index d, const typename Kernel::Gradient& of, RealEma& grad) const {
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

// SPDX-License-Identifier: Apache-2.0
// The complex exponential moving average.
#pragma once

#include <numbers>

#include "megalith/nn/ema_module.h"

namespace megalith {

/// CEMA (Ma et al. 2024, 3.1), as its authors' code has it: for each channel, N states that are damped and turned,
///
///   h_t = q h_{t-1} + p x_t,   y_t = Re(sum_n g_n h_{t,n}) + omega x_t
///   p = sigma(alpha),   |q| = 1 - sigma(alpha) sigma(delta),   arg q_n = n sigma(theta) 2 pi / N, n from 1
///   g = gamma / sqrt(N)
///
/// (eq. 2 has the phase on p too, and beta before x: gamma is free to hold both). The State holds s = h / p.
template <class S>
struct ComplexEma : EmaModule<ComplexEma<S>, S, true> {
  using Base = EmaModule<ComplexEma, S, true>;
  using Base::alpha, Base::delta, Base::omega, Base::in_channels, Base::states;
  using typename Base::Kernel;

  Tensor<S> theta;  // (D): logit of the turn of the slowest state, of 2 pi / N
  Tensor<S> gamma;  // (D, N, 2): real and imaginary parts

  ComplexEma() = default;
  ComplexEma(Index channels, Index N) : Base(channels, N), theta({channels}), gamma({channels, N, 2}) {}

  /// The authors' first values, normal ones truncated at two deviations: alpha, delta N(0, 0.2²); sigma(theta) a geometric
  /// sequence from D^(-1/D) to 1/D, its channels in random order; gamma N(0, 1), real; omega N(0, 0.25²).
  void init(RandomKey key, const Init&) {
    const Index D = in_channels(), N = states();
    init_weight(alpha, key.child(0), 0.2, 1);
    init_weight(delta, key.child(1), 0.2, 1);
    init_weight(omega, key.child(2), 0.25, 1);
    const RandomKey of_gamma = key.child(3), of_order = key.child(4);
    for (Index i = 0; i < D * N; ++i) {
      gamma.data()[2 * i] = S(random_truncated_normal(of_gamma, static_cast<std::uint64_t>(i)));
      gamma.data()[2 * i + 1] = S(0);
    }
    const double channels = static_cast<double>(std::max<Index>(D, 2));  // one channel alone would turn by all of 2 pi
    for (Index d = 0; d < D; ++d) {
      const double share = std::pow(channels, -static_cast<double>(d + 1) / channels);
      theta.data()[d] = S(std::log(share / (1 - share)));
    }
    for (Index d = D - 1; d > 0; --d)
      std::swap(theta.data()[d], theta.data()[random_below(of_order, static_cast<std::uint64_t>(d), d + 1)]);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "alpha"}, m.alpha...);
    f(Name{&at, "delta"}, m.delta...);
    f(Name{&at, "theta"}, m.theta...);
    f(Name{&at, "gamma"}, m.gamma...);
    f(Name{&at, "omega"}, m.omega...);
  }

 private:
  friend Base;
  using Base::scale;
  using Wide = megalith::Wide<S>;  // an angle near 2 pi has lost a decimal place

  double turn() const { return 2 * std::numbers::pi / static_cast<double>(states()); }

  /// f(n, p, sigma(delta), cos, sin of the angle of q) for the states of channel d.
  template <class F>
  void for_each_state(Index d, F&& f) const {
    using std::cos, std::sin;
    const Wide angle = logistic(theta.data()[d]) * Wide(turn()), cos_1 = cos(angle), sin_1 = sin(angle);
    Wide c = cos_1, s = sin_1;
    for (Index n = 0; n < states(); ++n) {
      f(n, logistic(alpha.row(d)[n]), logistic(delta.row(d)[n]), c, s);
      const Wide next = c * cos_1 - s * sin_1;
      s = c * sin_1 + s * cos_1;
      c = next;
    }
  }
  void set_coefficients(Index d, const typename Kernel::Coefficients& table) const {
    for_each_state(d, [&](Index n, Wide p, Wide share, Wide c, Wide s) {
      const Wide radius = Wide(1) - p * share, weight = p * scale();
      const S* const g = gamma.data() + 2 * (d * states() + n);
      Kernel::set(table, n, d, S(radius * c), S(weight * Wide(g[0])), S(radius * s), S(weight * Wide(g[1])));
    });
  }

  /// From the gradient of q and k = p g of channel d to that of the parameters.
  void add_gradient(Index d, const typename Kernel::Gradient& of, ComplexEma& grad) const {
    Wide d_turn = Wide(0);
    for_each_state(d, [&](Index n, Wide p, Wide share, Wide c, Wide s) {
      const auto at = [&](Index r) { return Wide(of.at(n, r, d)); };
      const Wide dq_re = at(0), dq_im = at(1), dk_re = at(2), dk_im = at(3);
      const Index i = d * states() + n;
      const Wide g_re = Wide(gamma.data()[2 * i]), g_im = Wide(gamma.data()[2 * i + 1]);
      const Wide d_radius = c * dq_re + s * dq_im, radius = Wide(1) - p * share;
      const Wide d_angle = radius * (c * dq_im - s * dq_re), dp = scale() * (g_re * dk_re + g_im * dk_im) - share * d_radius;
      grad.alpha.data()[i] += S(dp * p * (Wide(1) - p));
      grad.delta.data()[i] += S(-p * d_radius * share * (Wide(1) - share));
      grad.gamma.data()[2 * i] += S(scale() * p * dk_re);
      grad.gamma.data()[2 * i + 1] += S(scale() * p * dk_im);
      d_turn += d_angle * Wide(static_cast<double>(n + 1) * turn());
    });
    const Wide share = logistic(theta.data()[d]);
    grad.theta.data()[d] += S(d_turn * share * (Wide(1) - share));
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The adjoint test: a hand-written backward against dual numbers, exact to rounding.
#pragma once

#include "megalith/testing/dual.h"
#include "megalith/testing/sample.h"

namespace megalith::testing {
namespace detail {

template <class S>
double inner_product(const Tensor<S>& a, const Tensor<Dual>& direction_of) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += static_cast<double>(a.data()[i]) * direction_of.data()[i].derivative;
  return sum;
}
template <class S>
double sum_of_magnitudes(const Tensor<S>& a, const Tensor<Dual>& direction_of) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a.data()[i]) * direction_of.data()[i].derivative);
  return sum;
}

/// The state of a sequence of which `trial.before` rows were read, with room for `trial.shape.T` more. Closed without them.
/// Read in one forward, so that rows without content stay exactly 0.
template <class M>
typename M::State state_after(const Context& ctx, const M& m, const Trial& trial) {
  using S = typename M::Scalar;
  const auto [B, T] = trial.shape;
  if (trial.before == 0) return {m, B};
  typename M::State state(m, B, trial.before + T);
  typename M::Tape tape(m, {B, trial.before});
  Tensor<S> x({B, trial.before, m.in_channels()}), y({B, trial.before, m.out_channels()});
  fill_noise(x, RandomKey{trial.seed}.child(4));
  m.forward(ctx, view(x), view(y), state, tape);
  return state;
}

/// Random numbers in the places of a state that have content; what is exactly 0 was never reached.
template <class State>
State noise_in_place(State like, RandomKey key) {
  std::uint64_t n = 0;
  for_each_of_state(like, [&](const Name&, auto& t) {
    auto noise = t;
    fill_noise(noise, key.child(n++));
    for (Index i = 0; i < t.size(); ++i)
      if (t.data()[i] != 0) t.data()[i] = noise.data()[i];
  });
  return like;
}

/// Gives a dual tensor a random direction. With `content_only`, not to numbers that are exactly 0.
inline void set_direction(Tensor<Dual>& t, RandomKey key, bool content_only = false) {
  Tensor<double> v({t.size()});
  fill_noise(v, key);
  for (Index i = 0; i < t.size(); ++i)
    if (!content_only || t.data()[i].value != 0) t.data()[i].derivative = v.data()[i];
}

}  // namespace detail

/// With J the derivative of (y, state left) by x, by one parameter or by the state received, and v a random direction in it:
/// <dy, J v> + <dstate, J v> must be <J' (dy, dstate), v>. The left side comes from M<Dual>, the right one from the backward of
/// M<double>. Each input and each parameter is tested alone, so that `where` names the wrong one. dx holds NaN before and the
/// gradient noise, so "written" and "added" are tested too. Correct modules stay below 1e-13; a mistake gives 1e-3 or more.
template <Maker F>
Finding check_gradients(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<double>());
  using D = decltype(make.template operator()<Dual>());
  const RandomKey key{trial.seed};
  Workspace workspace(trial.threads);
  const Context past = context_of(trial, workspace), ctx = past.after_rows(trial.before);

  // Backward in double.
  const Sample<M> s = draw_sample<double>(make, trial);
  const auto [B, T] = trial.shape;
  typename M::Tape tape(s.module, trial.shape);
  typename M::State left = detail::state_after(past, s.module, trial);
  Tensor<double> y = s.dy, dx = s.x;
  y.fill(not_a_number<double>());
  dx.fill(not_a_number<double>());
  s.module.forward(ctx, view(s.x), view(y), left, tape);
  const typename M::State dleft = detail::noise_in_place(left, key.child(5));
  M noise = s.module;
  fill_parameters(noise, key.child(6));
  M grad = noise;
  typename M::State dstate = dleft;
  s.module.backward(ctx, view(s.x), view(s.dy), view(dx), grad, dstate, tape);

  // Forward in dual numbers, once for each input: `aim` gives it a direction and returns <gradient, direction>.
  Finding found;
  const auto test = [&](const std::string& what, auto&& aim) {
    Sample<D> d = draw_sample<Dual>(make, trial);
    typename D::State state = detail::state_after(past, d.module, trial);
    const double right = aim(d, state);
    Tensor<Dual> dual_y({B, T, d.module.out_channels()});
    dual_y.fill(not_a_number<Dual>());
    typename D::Tape dual_tape(d.module, trial.shape);
    d.module.forward(ctx, view(d.x), view(dual_y), state, dual_tape);
    double largest = 0.01, left_side = detail::inner_product(s.dy, dual_y);
    largest += detail::sum_of_magnitudes(s.dy, dual_y);
    D::State::visit(
        Name{},
        [&](const Name&, const Tensor<double>& w, const Tensor<Dual>& t) {
          left_side += detail::inner_product(w, t);
          largest += detail::sum_of_magnitudes(w, t);
        },
        dleft, state);
    found.add(std::abs(left_side - right) / largest, what);
  };

  test("x", [&](auto& d, auto&) {
    detail::set_direction(d.x, key.child(7));
    return detail::inner_product(dx, d.x);
  });
  Index number = 0;
  M::visit(
      Name{},
      [&](const Name& name, auto& g, const auto& before) {
        g.vec() -= before.vec();
        test(name.str(), [&, tested = number++](auto& d, auto&) {
          double right = 0;
          Index i = 0;
          for_each_parameter(d.module, [&](const Name&, Tensor<Dual>& p) {
            if (i++ != tested) return;
            detail::set_direction(p, key.child(8));
            right = detail::inner_product(g, p);
          });
          return right;
        });
      },
      grad, noise);
  if (trial.before > 0) {
    test("state", [&](auto&, auto& state) {
      double right = 0;
      std::uint64_t i = 0;
      D::State::visit(
          Name{},
          [&](const Name&, Tensor<Dual>& t, const Tensor<double>& w) {
            detail::set_direction(t, key.child(9).child(i++), true);
            right += detail::inner_product(w, t);
          },
          state, dstate);
      return right;
    });
  }
  return found;
}

}  // namespace megalith::testing

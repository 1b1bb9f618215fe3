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

/// Rows that are read after those under test, so that a gradient comes back to the state left.
inline constexpr Index kRowsAfter = 3;

/// The state of a sequence of which `trial.before` rows were read; closed if there are none. Read in one forward, so that
/// what no row has reached is exactly 0.
template <class M>
typename M::State state_received(const Context& ctx, const M& m, const Trial& trial) {
  using S = typename M::Scalar;
  const Index B = trial.shape.B, T = trial.shape.T;
  if (trial.before == 0) return {m, B};
  typename M::State state(m, B, trial.before + T + kRowsAfter);
  typename M::Tape tape(m, {B, trial.before});
  Tensor<S> x({B, trial.before, m.in_channels()}), y({B, trial.before, m.out_channels()});
  fill_noise(x, RandomKey{trial.seed}.child(4));
  m.forward(ctx, view(x), view(y), state, tape);
  return state;
}

/// dL/d(state left) of an L over the rows that follow.
template <class M>
typename M::State gradient_to_state_left(const Context& ctx, const M& m, const Trial& trial, const typename M::State& left) {
  using S = typename M::Scalar;
  if (trial.before == 0) return left;  // closed: nothing follows
  const Index B = trial.shape.B;
  Sample<M> after{m, Tensor<S>({B, kRowsAfter, m.in_channels()}), Tensor<S>({B, kRowsAfter, m.out_channels()})};
  fill_noise(after.x, RandomKey{trial.seed}.child(5));
  fill_noise(after.dy, RandomKey{trial.seed}.child(6));
  return run(ctx.from_position(trial.shape.T), after, left).dstate;
}

/// Gives a dual tensor a random direction; but not to numbers that are exactly 0, which in a State have no meaning.
inline void set_direction(Tensor<Dual>& t, RandomKey key) {
  Tensor<double> v({t.size()});
  fill_noise(v, key);
  for (Index i = 0; i < t.size(); ++i)
    if (t.data()[i].value != 0) t.data()[i].derivative = v.data()[i];
}

}  // namespace detail

/// With J the derivative of (y, state left) by x, by one parameter or by the state received, and v a random direction in it:
/// <dy, J v> + <dstate, J v> must be <J' (dy, dstate), v>. The left side comes from M<Dual>, the right one from the backward
/// of M<double>. With trial.before > 0 rows come before and after those under test: a state is received, and a gradient to
/// the state left. Each input and each parameter is tested alone, so that `where` names the wrong one. dx holds NaN before
/// and the gradient noise, so "written" and "added" are tested too. Correct modules stay below 1e-13, and mistakes many
/// orders above.
template <Maker F>
Finding check_gradients(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<double>());
  using D = decltype(make.template operator()<Dual>());
  const RandomKey key{trial.seed};
  Workspace workspace(trial.threads);
  const Context past = context_of(trial, workspace), ctx = past.from_position(trial.before);

  // Backward in double.
  const Sample<M> s = draw_sample<double>(make, trial);
  typename M::Tape tape(s.module, trial.shape);
  typename M::State left = detail::state_received(past, s.module, trial);
  Tensor<double> y = s.dy, dx = s.x;
  y.fill(not_a_number<double>());
  dx.fill(not_a_number<double>());
  s.module.forward(ctx, view(s.x), view(y), left, tape);
  const typename M::State dleft = detail::gradient_to_state_left(ctx, s.module, trial, left);
  M noise = s.module;
  fill_parameters(noise, key.child(7));
  M grad = noise;
  typename M::State dstate = dleft;
  s.module.backward(ctx, view(s.x), view(s.dy), view(dx), grad, dstate, tape);

  // Forward in dual numbers, once for each input: `aim` gives it a direction and returns <gradient, direction>.
  Finding found;
  const auto test = [&](const std::string& what, auto&& aim) {
    Sample<D> d = draw_sample<Dual>(make, trial);
    typename D::State state = detail::state_received(past, d.module, trial);
    const double right = aim(d, state);
    Tensor<Dual> dual_y({trial.shape.B, trial.shape.T, d.module.out_channels()});
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
    detail::set_direction(d.x, key.child(8));
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
            detail::set_direction(p, key.child(9));
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
            detail::set_direction(t, key.child(10).child(i++));
            right += detail::inner_product(w, t);
          },
          state, dstate);
      return right;
    });
  }
  return found;
}

}  // namespace megalith::testing

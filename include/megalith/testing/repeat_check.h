// SPDX-License-Identifier: Apache-2.0
// Running again gives the same: backward twice, a tape used before, another number of threads.
#pragma once

#include <initializer_list>

#include "megalith/testing/sample.h"

namespace megalith::testing {

/// A second backward with the same tape gives the same dx to the bit and adds the same gradient; a tape that served other
/// numbers, or is larger than it must be, changes no bit.
template <class S = double, Maker F>
Finding check_repeatable(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  Finding found;

  typename M::Tape tape(s.module, trial.shape);
  const Outcome<M> first = run(ctx, s, {s.module, B, T}, tape);
  Outcome<M> second = first;
  second.dx.fill(not_a_number<S>());
  second.dstate = zero_gradient(first.left);
  set_zero(second.grad);
  s.module.backward(ctx, view(s.x), view(s.dy), view(second.dx), second.grad, second.dstate, tape);
  found.add(compare(second, first, kBits), "backward again: ");

  second = first;  // its gradient stays, and is added to
  second.dstate = zero_gradient(first.left);
  s.module.backward(ctx, view(s.x), view(s.dy), view(second.dx), second.grad, second.dstate, tape);
  for_each_parameter(second.grad, [](const Name&, auto& g) { g.vec() *= S(0.5); });
  Finding added = compare(second, first, kRelative);
  // Sums of many terms in another order: equal to rounding, which is not 0.
  if (added.error > 64 * static_cast<double>(std::numeric_limits<S>::epsilon())) found.add(added, "added twice: ");

  Trial other = trial;
  other.seed = trial.seed + 1;
  other.shape = {B + 1, T + 2};
  typename M::Tape used(s.module, other.shape);
  Sample<M> other_sample = draw_sample<S>(make, other);
  run(ctx, other_sample, {other_sample.module, B + 1, T + 2}, used);
  found.add(compare(run(ctx, s, {s.module, B, T}, used), first, kBits), "with a larger, used tape: ");
  return found;
}

/// The same bits on any number of threads, forward, backward and step. Work is cut by the problem, so take shapes that are
/// cut into more pieces than there are threads.
template <class S = float, Maker F>
Finding check_threads(const F& make, const Trial& trial, std::initializer_list<int> counts = {2, 3, 7, 16, 33}) {
  using M = decltype(make.template operator()<S>());
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  const auto run_on = [&](int threads) {
    Workspace workspace(threads);
    const Context ctx = context_of(trial, workspace);
    Outcome<M> o = run(ctx, s, {s.module, B, T});
    Tensor<S> y = o.y;
    typename M::State state(s.module, B, T);
    s.module.step(ctx, view(s.x), view(y), state);
    return std::pair(std::move(o), std::move(y));
  };
  const auto one = run_on(1);
  Finding found;
  for (const int threads : counts) {
    const auto many = run_on(threads);
    const std::string name = std::to_string(threads) + " threads: ";
    found.add(compare(many.first, one.first, kBits), name);
    found.add(compare_states(many.first.left, one.first.left, kBits), name);
    found.add(bit_error(many.second, one.second), name + "y of step");
  }
  return found;
}

}  // namespace megalith::testing

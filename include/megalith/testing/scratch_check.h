// SPDX-License-Identifier: Apache-2.0
// What a module says in scratch() against the scratch that it takes.
#pragma once

#include "megalith/testing/sample.h"

namespace megalith::testing {

/// Numbers of scratch, at the highest.
struct ScratchCount {
  double claimed = 0;  // by scratch()
  double taken = 0;    // on all threads
};

/// A call from a closed State, in double, whose matrix products take no scratch. Which thread gets a task is left to chance,
/// so it is called some times.
template <Maker F>
ScratchCount count_scratch(const F& make, const Trial& trial, Pass pass) {
  using S = double;
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  typename M::State state(s.module, trial.shape.B);
  typename M::Tape tape(s.module, trial.shape);
  Tensor<S> y = s.dy, dx = s.x;
  M grad = s.module;
  s.module.forward(ctx, view(s.x), view(y), state, tape);
  workspace.reset_peak();
  for (int call = 0; call < (trial.threads > 1 ? 4 : 1); ++call) {
    if (pass == Pass::forward) s.module.forward(ctx, view(s.x), view(y), state, tape);
    if (pass == Pass::step) s.module.step(ctx, view(s.x), view(y), state);
    if (pass == Pass::backward) s.module.backward(ctx, view(s.x), view(s.dy), view(dx), grad, state, tape);
  }
  return {s.module.scratch(trial.shape, pass, trial.threads), static_cast<double>(workspace.peak() / sizeof(S))};
}

}  // namespace megalith::testing

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

/// One call from a closed State, in double, whose matrix products take no scratch.
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
  if (pass == Pass::step) s.module.step(ctx, view(s.x), view(y), state);
  else s.module.forward(ctx, view(s.x), view(y), state, tape);
  if (pass == Pass::backward) {
    workspace.reset_peak();
    s.module.backward(ctx, view(s.x), view(s.dy), view(dx), grad, state, tape);
  }
  return {s.module.scratch(trial.shape, pass, trial.threads), static_cast<double>(workspace.peak() / sizeof(S))};
}

}  // namespace megalith::testing

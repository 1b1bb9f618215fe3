// SPDX-License-Identifier: Apache-2.0
// No row sees a later one.
#pragma once

#include "megalith/testing/sample.h"

namespace megalith::testing {

/// Changes row t of one sequence, for every t: the outputs of earlier rows and of other sequences stay the same to the bit,
/// and that of row t changes.
template <class S = float, Maker F>
Finding check_causal(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T;
  typename M::Tape tape(s.module, trial.shape);
  const auto forward = [&](const Tensor<S>& x) {
    Tensor<S> y({B, T, s.module.out_channels()});
    typename M::State state(s.module, B);
    s.module.forward(ctx, view(x), view(y), state, tape);
    return y;
  };
  const Tensor<S> y = forward(s.x);
  Tensor<S> other({1, 1, s.module.in_channels()});
  fill_noise(other, RandomKey{trial.seed}.child(11));
  Finding found;
  for (Index t = 0; t < T; ++t) {
    const Index changed = t % B;
    Tensor<S> x = s.x;
    std::copy_n(other.data(), other.size(), view(x).row(changed * T + t));
    const Tensor<S> y_changed = forward(x);
    const auto same = [&](Index b, Index begin, Index count) {
      const auto piece = [&](const Tensor<S>& of) {
        Tensor<S> rows({count, of.cols()});
        std::copy_n(of.row(b * T + begin), rows.size(), rows.data());
        return rows;
      };
      return bit_error(piece(y_changed), piece(y));
    };
    const std::string name = "row " + std::to_string(t) + " changed ";
    for (Index b = 0; b < B; ++b) {
      if (b != changed) found.add(same(b, 0, T), name + "another sequence");
      else if (t > 0) found.add(same(b, 0, t), name + "an earlier row");
    }
    if (same(changed, t, 1) == 0) found.add(1, name + "not its own output");
  }
  return found;
}

}  // namespace megalith::testing

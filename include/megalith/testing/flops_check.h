// SPDX-License-Identifier: Apache-2.0
// What a module says in flops() against the products that it makes.
#pragma once

#include "megalith/testing/counting.h"
#include "megalith/testing/sample.h"

namespace megalith::testing {

/// Floating-point operations of one forward: two for each multiplication of a product.
struct FlopCount {
  double claimed = 0;  // by flops()
  double forward = 0;  // made by forward: more than claimed where tiles are computed of which a part is masked
  double steps = 0;    // made by one step for each row, which needs no mask
};

/// A right flops() is `steps`, and `forward` where nothing is masked.
template <Maker F>
FlopCount count_flops(const F& make, Trial trial) {
  trial.mode = Mode::infer;
  Workspace workspace(1);  // counts are kept for each thread
  const Context ctx = context_of(trial, workspace);
  const auto s = draw_sample<Counting>(make, trial);
  using M = std::remove_const_t<decltype(s.module)>;
  const Index B = trial.shape.B, T = trial.shape.T;

  FlopCount flops;
  flops.claimed = s.module.flops(trial.shape).total();
  Tensor<Counting> y({B, T, s.module.out_channels()});
  typename M::State closed(s.module, B), open(s.module, B, T);
  typename M::Tape tape(s.module, trial.shape);
  Index start = Counting::count();
  s.module.forward(ctx, view(s.x), view(y), closed, tape);
  flops.forward = 2 * static_cast<double>(Counting::count() - start);
  start = Counting::count();
  for (Index t = 0; t < T; ++t) {
    const Tensor<Counting> x = rows_of(s.x, t, 1);
    Tensor<Counting> row({B, 1, s.module.out_channels()});
    s.module.step(ctx, view(x), view(row), open);
  }
  flops.steps = 2 * static_cast<double>(Counting::count() - start);
  return flops;
}

}  // namespace megalith::testing

// SPDX-License-Identifier: Apache-2.0
// Float against double.
#pragma once

#include "megalith/testing/sample.h"

namespace megalith::testing {

/// Forward and backward in float against the same in double. With the float products that this build uses, so shapes around
/// the sizes of their tiles test those.
template <Maker F>
Finding check_float(const F& make, const Trial& trial) {
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const auto single = draw_sample<float>(make, trial);
  const auto twice = draw_sample<double>(make, trial);
  return compare(run(ctx, single, {single.module, trial.shape.B}), run(ctx, twice, {twice.module, trial.shape.B}),
                 kRelative);
}

}  // namespace megalith::testing

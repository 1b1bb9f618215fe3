// SPDX-License-Identifier: Apache-2.0
// Real models, as small as they come, for tests of training and generation.
#pragma once

#include "megalith/models/any_model.h"
#include "support/configs.h"

namespace megalith::tests {

using SmallModel = NamedConfig;

/// One, two and three scales, with dropout and weights large enough that positions and bytes matter.
inline std::vector<SmallModel> small_models() {
  std::vector<SmallModel> some;
  for (const char* name : {"vanilla", "megabyte", "modern", "convolution", "linear_megabyte", "three_scales"}) {
    some.push_back({name, config_named(name)});
    some.back().config.init_std = 0.3;
    some.back().config.residual_init = 1;
  }
  return some;
}

inline std::unique_ptr<AnyModel> make_small(const SmallModel& small, std::uint64_t seed = 5) {
  std::unique_ptr<AnyModel> model = make_model(small.config);
  model->init(RandomKey{seed});
  return model;
}

}  // namespace megalith::tests

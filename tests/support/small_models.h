// SPDX-License-Identifier: Apache-2.0
// Real models, as small as they come, for tests of training and generation.
#pragma once

#include "megalith/models/any_model.h"
#include "support/configs.h"

namespace megalith::tests {

using SmallModel = NamedConfig;

/// One, two and three scales, and one that trains on the ends of windows, with dropout and weights large enough that
/// positions and bytes matter.
inline std::vector<SmallModel> small_models() {
  std::vector<SmallModel> some;
  for (const char* name : {"vanilla", "megabyte", "modern", "convolution", "linear_megabyte", "three_scales", "perceiver"}) {
    some.push_back({name, config_named(name)});
    some.back().config.init_std = 0.3;
    some.back().config.residual_init = 1;
  }
  some.back().config.scales[0].stack.block.as<PerceiverConfig>().predicted = 8;  // of 32
  return some;
}

/// How far their windows of 32 bytes slide: by half, rounded up to units, or by what training predicts.
inline Index stride_of(const SmallModel& small) {
  return small.name == "perceiver" ? 8 : 32 - 16 / small.config.scales[0].patch * small.config.scales[0].patch;
}

inline std::unique_ptr<AnyModel> make_small(const SmallModel& small, std::uint64_t seed = 5) {
  std::unique_ptr<AnyModel> model = make_model(small.config);
  model->init(RandomKey{seed});
  return model;
}

}  // namespace megalith::tests

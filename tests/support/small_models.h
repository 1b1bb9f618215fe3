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

/// Those that read sequences of any length, as their State is of one size: with MEGALODON's chunks and averages, running
/// sums and attention in windows, over bytes and over patches, the last two of which carry what is inside them from patch to
/// patch or begin it anew.
inline std::vector<SmallModel> endless_models() {
  std::vector<SmallModel> some;
  const auto add = [&](const char* name, ModelConfig config) {
    config.init_std = 0.3;
    config.residual_init = 1;
    some.push_back({name, std::move(config)});
  };
  for (const char* name : {"megalodon", "linear", "linear_megabyte", "vanilla_window"}) add(name, config_named(name));
  ModelConfig config = config_named("cross_patch");
  config.scales[0].stack = megalodon_stack(with_positions(small_stack(16, 1), PositionKind::rotary), {.chunk = 2});
  add("megalodon_cross_patch", config);
  config = config_named("megalodon_megabyte");
  config.scales[0].stack.positions = PositionKind::rotary;
  add("megalodon_megabyte", config);
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

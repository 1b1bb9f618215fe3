// SPDX-License-Identifier: Apache-2.0
// Real models, as small as they come, for tests of training and generation.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith::tests {

struct SmallModel {
  std::string name;
  ModelConfig config;
};

/// One, two and three scales, with dropout and weights large enough that positions and bytes matter.
inline std::vector<SmallModel> small_models() {
  const StackConfig stack{.width = 16, .layers = 1, .dropout = 0.1, .block = TransformerConfig{.heads = 2}};
  StackConfig modern = stack;
  modern.positions = PositionKind::rotary;
  modern.block = TransformerConfig{.heads = 2, .norm = NormKind::rms, .activation = Activation::swiglu, .qk_norm = true};
  const auto scale = [](Index patch, const StackConfig& s) {
    return ScaleConfig{.patch = patch, .embedding = 0, .first_input = FirstInput::pad, .stack = s};
  };
  ScaleConfig previous = scale(1, modern);
  previous.first_input = FirstInput::previous;
  const auto config = [](std::vector<ScaleConfig> scales) {
    return ModelConfig{.length = 32, .scales = std::move(scales), .init_std = 0.3, .residual_init = 1};
  };
  return {{"vanilla", config({scale(1, stack)})},
          {"megabyte", config({scale(4, stack), scale(1, stack)})},
          {"modern", config({scale(4, modern), previous})},
          {"three_scales", config({scale(8, stack), scale(2, modern), scale(1, stack)})}};
}

inline std::unique_ptr<AnyModel> make_small(const SmallModel& small, std::uint64_t seed = 5) {
  std::unique_ptr<AnyModel> model = make_model(small.config);
  model->init(RandomKey{seed});
  return model;
}

}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config_size.h"

#include <gtest/gtest.h>

#include "megalith/models/any_model.h"
#include "megalith/models/flops.h"

namespace megalith {
namespace {

ScaleConfig scale(Index unit, Index width, Index heads) {
  ScaleConfig c;
  c.unit = unit;
  c.stack = {.width = width, .layers = 2, .heads = heads};
  return c;
}

/// Configs that differ in everything that changes a size.
std::vector<ModelConfig> configs() {
  ModelConfig flat{.length = 48, .scales = {scale(1, 24, 3)}};
  ModelConfig two{.length = 48, .scales = {scale(8, 32, 4), scale(1, 16, 2)}};
  ModelConfig three{.length = 48, .scales = {scale(12, 48, 4), scale(4, 24, 3), scale(1, 16, 2)}};
  std::vector<ModelConfig> all{flat, two, three};

  ModelConfig c = two;
  c.tied = false;
  c.scales[0].stack.positions = PositionKind::rotary;
  c.scales[1].stack.positions = PositionKind::none;
  all.push_back(c);

  c = three;
  c.scales[0].embedding = 5;  // 12 * 5 is not 48: a linear patch embedder
  c.scales[1].first_input = FirstInput::previous;
  all.push_back(c);
  for (ScaleConfig& s : c.scales) s.stack.bias = false;
  all.push_back(c);

  c = two;
  c.scales[0].stack.norm = NormKind::rms;
  c.scales[0].stack.qk_norm = true;
  c.scales[0].stack.activation = Activation::swiglu;
  c.scales[0].stack.window = 4;
  c.scales[1].stack.hidden = 40;
  c.scales[1].stack.window = 100;  // longer than a patch: the same as none
  all.push_back(c);

  c = flat;
  c.scales[0].stack.window = 7;
  c.scales[0].stack.activation = Activation::swiglu;
  c.tied = false;
  all.push_back(c);
  return all;
}

TEST(ConfigSize, ParametersAreThoseOfTheModel) {
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(parameter_count(all[i]), make_model(all[i])->parameter_count()) << "config " << i;
}

TEST(ConfigSize, FlopsAreThoseOfTheModel) {
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto model = make_model(all[i]);
    for (const Shape shape : {Shape{1, 48}, Shape{3, 24}})
      EXPECT_DOUBLE_EQ(forward_flops(all[i], shape), model->flops(shape)) << "config " << i << ", T " << shape.T;
  }
}

}  // namespace
}  // namespace megalith

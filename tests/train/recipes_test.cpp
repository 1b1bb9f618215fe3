// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/recipes.h"

#include <gtest/gtest.h>

#include "megalith/models/zoo.h"

namespace megalith {
namespace {

TEST(Recipes, SuitTheirModels) {
  int own = 0;
  for (const Preset& preset : presets()) {
    TrainConfig config = recipe(preset.name);
    if (config != TrainConfig{}) ++own;
    config.budget.steps = 1;
    EXPECT_NO_THROW(config.validate(*make_summary(preset.config))) << preset.name;
  }
  EXPECT_EQ(own, 18) << "a recipe's name is that of no model, or a new recipe is not counted here";
}

TEST(Recipes, OtherNamesGetTheDefaults) { EXPECT_EQ(recipe("my.json"), TrainConfig{}); }

}  // namespace
}  // namespace megalith

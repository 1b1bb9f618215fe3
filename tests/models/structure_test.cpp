// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/structure.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/configs.h"

namespace megalith::tests {
namespace {

/// Whether a change leaves the meaning of the parameters of the config "embedder" as it is.
bool same_after(const std::function<void(ModelConfig&)>& change) {
  const ModelConfig before = config_named("embedder");
  ModelConfig after = before;
  change(after);
  return same_structure(before, after);
}

TEST(Structure, GoesByWhatParametersMean) {
  EXPECT_TRUE(same_after([](ModelConfig&) {}));
  EXPECT_TRUE(same_after([](ModelConfig& c) { c.length = 64; }));
  EXPECT_TRUE(same_after([](ModelConfig& c) { c.init_std = 1, c.residual_init = 0.5; }));
  EXPECT_TRUE(same_after([](ModelConfig& c) { c.scales[0].stack.dropout = 0.5; }));
  EXPECT_TRUE(same_after([](ModelConfig& c) { c.scales[0].stack.recompute = false; }));
  EXPECT_TRUE(same_after([](ModelConfig& c) { c.scales[1].embedding = 8; })) << "its default";
  EXPECT_TRUE(same_after([](ModelConfig& c) { transformer(c.scales[0]).kv_heads = 1; })) << "its default";
  EXPECT_TRUE(same_after([](ModelConfig& c) { transformer(c.scales[1]).rotary_base = 3; })) << "of learned positions";

  EXPECT_FALSE(same_after([](ModelConfig& c) { transformer(c.scales[0]).rotary_base = 3; })) << "of rotary positions";
  EXPECT_FALSE(same_after([](ModelConfig& c) { transformer(c.scales[0]).window = 4; }));
  EXPECT_FALSE(same_after([](ModelConfig& c) { transformer(c.scales[1]).kv_heads = 2; }));
  EXPECT_FALSE(same_after([](ModelConfig& c) { c.soft_cap = 4; }));
  EXPECT_FALSE(same_after([](ModelConfig& c) { c.tied = true; }));
  EXPECT_FALSE(same_after([](ModelConfig& c) { c.scales[1].first_input = FirstInput::pad; }));
  EXPECT_FALSE(same_after([](ModelConfig& c) { c.scales.pop_back(); }));
}

TEST(Structure, WhatIsPredictedInTrainingIsNoPartOfIt) {
  const ModelConfig before = config_named("perceiver");
  ModelConfig after = before;
  auto& block = after.scales[0].stack.block.as<PerceiverConfig>();
  block.predicted = 8;
  EXPECT_TRUE(same_structure(before, after));
  block.latents = 4;
  EXPECT_FALSE(same_structure(before, after));
}

TEST(Structure, KeepsTheLength) {
  const ModelConfig config = config_named("vanilla");
  EXPECT_EQ(structure_of(config).length, config.length);
  EXPECT_EQ(structure_of(structure_of(config)), structure_of(config));
  EXPECT_EQ(structure_of(config).scales[0].stack.block.as<TransformerConfig>().rotary_base, 0);
  EXPECT_EQ(structure_of(config).scales[0].stack.dropout, 0);
}

}  // namespace
}  // namespace megalith::tests

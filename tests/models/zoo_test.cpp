// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/zoo.h"

#include <gtest/gtest.h>

#include <set>

#include "megalith/models/any_model.h"
#include "megalith/models/config_json.h"
#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

double flops_per_byte(const char* name) {
  const ModelConfig& config = preset(name).config;
  return make_summary(config)->flops({1, config.length}) / static_cast<double>(config.length);
}
double parameters_of(const ModelConfig& config) { return make_summary(config)->parameter_count(); }

TEST(Zoo, PresetsAreSound) {
  std::set<std::string> names;
  for (const Preset& p : presets()) {
    EXPECT_EQ(error_of([&] { p.config.validate(); }), "") << p.name;
    EXPECT_TRUE(names.insert(p.name).second) << p.name << " is there twice";
    EXPECT_FALSE(p.summary.empty()) << p.name;
    EXPECT_EQ(p.summary.find('\n'), std::string::npos) << p.name;
    EXPECT_EQ(config_from_json(to_json(p.config), p.name), p.config);
  }
}

// The number of parameters of the PyTorch model of that shape, and its cost by hand: see the terms.
TEST(Zoo, R1IsTheReferenceShape) {
  EXPECT_EQ(parameters_of(preset("megabyte-small").config), 20662016);
  EXPECT_EQ(make_model(preset("megabyte-small").config)->parameter_count(), 20662016);
  const double global = 6 * (24.0 * 512 * 512 + 4 * 512 * (128 * 129 / 2) / 128.0) / 8;
  const double local = 2 * (24.0 * 256 * 256 + 4 * 256 * (8 * 9 / 2) / 8.0);
  const double condition = 2 * 64 * 256, head = 2 * 256 * 256;
  EXPECT_DOUBLE_EQ(flops_per_byte("megabyte-small"), global + local + condition + head);
}

TEST(Zoo, VanillaModelsMatchR1) {
  EXPECT_NEAR(flops_per_byte("vanilla-small-flops") / flops_per_byte("megabyte-small"), 1, 0.03);
  const double parameters = parameters_of(preset("vanilla-small-params").config);
  EXPECT_NEAR(parameters / 20662016, 1, 0.003);
}

// R1 has 8,136,448 FLOP per byte.
TEST(Zoo, LlamaHasTheCostOfR1) {
  EXPECT_DOUBLE_EQ(flops_per_byte("megabyte-small"), 8136448);
  EXPECT_NEAR(flops_per_byte("llama-small") / 8136448, 1, 0.01);
  const ScaleConfig& scale = preset("llama-small").config.scales[0];
  const auto& block = scale.stack.block.as<TransformerConfig>();
  EXPECT_EQ(block.norm, NormKind::rms);
  EXPECT_EQ(block.activation, Activation::swiglu);
  EXPECT_EQ(scale.stack.positions, PositionKind::rotary);
  EXPECT_EQ(block.heads, 4 * block.kv_heads);
  EXPECT_FALSE(scale.stack.bias);
  // By hand: products with C^2 + C * C/2 (grouped keys and values) + C^2 and three of the feed-forward, pairs, the head.
  const double C = 256, F = 752, layer = 2 * (C * C + C * C / 2 + C * C + 3 * C * F) + 4 * C * (1024 * 1025 / 2) / 1024.0;
  EXPECT_DOUBLE_EQ(flops_per_byte("llama-small"), 4 * layer + 2 * C * 256);
}

// By byte that is predicted, of which a window has 256.
TEST(Zoo, PerceiverHasTheCostOfR1) {
  const auto summary = make_summary(preset("perceiver-small").config);
  EXPECT_EQ(summary->predicted(1024), 256);
  EXPECT_NEAR(summary->flops({1, 1024}) / 256 / 8136448, 1, 0.01);
}

TEST(Zoo, LinearTransformerHasTheCostOfR1) {
  EXPECT_NEAR(flops_per_byte("linear-small") / 8136448, 1, 0.01);
  // By hand, with heads of 64: products, running sums and their denominators, the head; at any length.
  const double C = 256, F = 1376, layer = 2 * (4 * C * C + 2 * C * F) + 4 * C * 64 + 2 * C;
  EXPECT_DOUBLE_EQ(flops_per_byte("linear-small"), 4 * layer + 2 * C * 256);
  const auto summary = make_summary(preset("linear-small").config);
  EXPECT_DOUBLE_EQ(summary->flops({1, 1 << 20}), 1024 * summary->flops({1, 1024}));
  EXPECT_EQ(summary->state_bytes(1, 1024), summary->state_bytes(1, 1));
}

// In windows as long as memory asks for: the chunk bounds what a byte sees.
TEST(Zoo, MegalodonsHaveTheCostOfR1) {
  EXPECT_NEAR(flops_per_byte("megalodon-small") / 8136448, 1, 0.01);
  EXPECT_NEAR(flops_per_byte("mega-small") / 8136448, 1, 0.01);
  EXPECT_NEAR(flops_per_byte("megabyte-megalodon-small") / 8136448, 1, 0.01);
  const auto summary = make_summary(preset("megalodon-small").config);
  EXPECT_DOUBLE_EQ(summary->flops({1, 1 << 20}), 256 * summary->flops({1, 4096}));
}

// The counts of the authors' code are of 32,000 tokens, in a table and a head of which PG-19 shares one; ours of a table of
// bytes and the vector that stands before the first.
TEST(Zoo, TheShapesOfMegalodonHaveTheParametersOfItsCode) {
  const auto expect = [](const char* name, double authors, double width, double tables) {
    EXPECT_EQ(parameters_of(preset(name).config), authors - tables * 32000 * width + 257 * width) << name;
  };
  expect("paper-megalodon-200m", 220627968, 1024, 2);
  expect("paper-megalodon-1.3b", 1342832640, 2048, 2);
  expect("paper-megalodon-pg19", 1327628288, 2048, 1);
  expect("paper-megalodon-7b", 7117381632, 4096, 2);
}

// It differs from its sibling in the window alone, and so in the pairs of attention alone.
TEST(Zoo, VanillaModelWithAWindow) {
  ModelConfig config = preset("vanilla-small-window").config;
  EXPECT_EQ(tests::transformer(config.scales[0]).window, 256);
  EXPECT_EQ(parameters_of(config), parameters_of(preset("vanilla-small-params").config));
  const double pairs = 1024 * 1025 / 2, seen = 256 * 257 / 2 + 768 * 256;
  EXPECT_DOUBLE_EQ(flops_per_byte("vanilla-small-params") - flops_per_byte("vanilla-small-window"),
                   5 * 4 * 576 * (pairs - seen) / 1024);
  tests::transformer(config.scales[0]).window = 0;
  EXPECT_EQ(config, preset("vanilla-small-params").config);
}

TEST(Zoo, PaperFormHasCrossPatchAttention) {
  const ModelConfig& c = preset("megabyte-paper").config;
  EXPECT_EQ(c.scales[0].stack.positions, PositionKind::learned);
  EXPECT_EQ(c.scales[1].stack.positions, PositionKind::rotary);
  EXPECT_EQ(c.scales[1].cross_patch, 8);
  EXPECT_EQ(embedding_width(c.scales[0]), 256);
  EXPECT_FALSE(has_patch_projection(c.scales[0]));
  EXPECT_TRUE(has_patch_projection(preset("paper-image64").config.scales[0]));
  EXPECT_EQ(embedding_width(preset("paper-image640").config.scales[0]), 4);
}

// A tile is a patch, and a picture a window.
TEST(Zoo, PicturesAreReadInTilesOfAPatch) {
  for (const Preset& p : presets()) {
    const RecordConfig& record = p.config.record;
    if (record.scan.kind != ScanKind::patch) continue;
    EXPECT_EQ(record.scan.tile * record.scan.tile * record.scan.channels, p.config.scales[0].patch) << p.name;
    EXPECT_EQ(record.bytes, p.config.length) << p.name;
  }
}

TEST(Zoo, UnknownNames) {
  EXPECT_ERROR(preset("megabyt-small"), "no model named \"megabyt-small\"; did you mean \"megabyte-small\"?");
  EXPECT_ERROR(preset("vanila-small-flops"), "did you mean \"vanilla-small-flops\"?");
}

}  // namespace
}  // namespace megalith

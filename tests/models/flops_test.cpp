// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/flops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "megalith/models/any_model.h"
#include "megalith/models/zoo.h"

namespace megalith {
namespace {

std::map<std::string, double> parts_of(const ModelConfig& config, Index T, AttentionCost cost = AttentionCost::causal) {
  std::map<std::string, double> parts;
  for (const FlopsPart& part : forward_flops_by_part(config, {1, T}, cost)) parts[part.name] = part.flops;
  return parts;
}

TEST(Flops, PartsAddUpToWhatTheModelsSay) {
  for (const char* name :
       {"megabyte-tiny", "megabyte-small", "megabyte-books", "megabyte-three-scale", "vanilla-small-flops"}) {
    const ModelConfig& config = preset(name).config;
    const auto model = make_model(config);
    for (const Shape shape : {Shape{1, config.length}, Shape{3, config.length / 2}, Shape{2, config.scales[0].unit}}) {
      double sum = 0;
      for (const FlopsPart& part : forward_flops_by_part(config, shape)) sum += part.flops;
      EXPECT_DOUBLE_EQ(sum, model->flops(shape)) << name << ", T " << shape.T;
      EXPECT_DOUBLE_EQ(forward_flops(config, shape), sum) << name;
    }
  }
}

// The terms of R1, by hand.
TEST(Flops, PartsOfMegabyteSmall) {
  const auto parts = parts_of(preset("megabyte-small").config, 1024);
  const std::map<std::string, double> expected{{"global products", 6 * 128 * 24.0 * 512 * 512},
                                               {"global attention", 6 * 4.0 * 512 * (128 * 129 / 2)},
                                               {"condition", 1024 * 2.0 * 64 * 256},
                                               {"local products", 2 * 1024 * 24.0 * 256 * 256},
                                               {"local attention", 2 * 128 * 4.0 * 256 * (8 * 9 / 2)},
                                               {"head", 1024 * 2.0 * 256 * 256}};
  EXPECT_EQ(parts, expected);
}

TEST(Flops, PartsAreNamedByScale) {
  const auto names = [](const char* name) {
    std::string all;
    for (const FlopsPart& part : forward_flops_by_part(preset(name).config, {1, 12288})) all += part.name + ", ";
    return all;
  };
  EXPECT_EQ(names("vanilla-small-flops"), "products, attention, head, ");
  EXPECT_EQ(names("megabyte-three-scale"),
            "global products, global attention, middle condition, middle products, middle attention, local condition, "
            "local products, local attention, head, ");
  EXPECT_EQ(names("paper-image64"),
            "global embedder, global products, global attention, condition, local products, local attention, head, ");
}

// 9 D per byte and layer, whatever the length.
TEST(Flops, LinearAttention) {
  const ModelConfig& config = preset("vanilla-small-flops").config;
  for (const Index T : {1024, 65536, 1048576}) {
    const auto linear = parts_of(config, T, AttentionCost::linear);
    EXPECT_DOUBLE_EQ(linear.at("attention"), static_cast<double>(T) * 4 * 9 * 256);
    EXPECT_DOUBLE_EQ(linear.at("products"), parts_of(config, T).at("products"));
  }
}

// The paper's model of text: its sizes are nominal, and most of its cost is local.
TEST(Flops, PaperText) {
  const ModelConfig& config = preset("paper-text").config;
  const auto parts = parts_of(config, 8192);
  EXPECT_NEAR(parts.at("global products") / 2 / 1024, 704.6e6, 0.1e6);  // printed: 758M
  EXPECT_NEAR(parts.at("local products") / 2 / 8192, 226.5e6, 0.1e6);   // printed: 262M
  EXPECT_NEAR(parts.at("global attention") / 8192, 14.0 * 4 * 2048 * 1025 / 2 / 8, 1);
  const double total = forward_flops(config, {1, 8192});
  EXPECT_NEAR((parts.at("local products") + parts.at("local attention")) / total, 0.71, 0.001);
}

}  // namespace
}  // namespace megalith

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

double per_byte(const ComparedModel& m, Index T) {
  return forward_flops(m.config, {1, T}, m.attention) / static_cast<double>(T);
}

const std::vector<Index> kFigureLengths{1024, 4096, 16384, 65536, 262144, 1048576};

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
  for (const Index T : kFigureLengths) {
    const auto linear = parts_of(config, T, AttentionCost::linear);
    EXPECT_DOUBLE_EQ(linear.at("attention"), static_cast<double>(T) * 4 * 9 * 256);
    EXPECT_DOUBLE_EQ(linear.at("products"), parts_of(config, T).at("products"));
  }
}

/// Weights in the products of a stack whose positions stand for U bytes.
double weights(const ComparedModel& m, const char* part, double U) {
  return parts_of(m.config, 1024).at(part) / 2 / (1024 / U);
}

// Yu et al. 2023, figure 3 and section 3: MEGABYTE's sizes, to the digits printed.
TEST(Figure3, SizesAreThePrintedOnes) {
  const auto models = figure_3_models();
  ASSERT_EQ(models.size(), 9u);
  const auto printed = [](double number, double unit) { return std::floor(number / unit); };
  EXPECT_EQ(printed(weights(models[0], "global products", 8), 1e6), 452);
  EXPECT_EQ(std::round(weights(models[0], "local products", 1) / 1e6), 151);
  EXPECT_EQ(printed(weights(models[3], "global products", 8), 1e8), 58);
  EXPECT_EQ(std::round(weights(models[3], "local products", 1) / 1e6), 604);
  EXPECT_EQ(printed(weights(models[6], "global products", 8), 1e9), 170);
  EXPECT_EQ(printed(weights(models[6], "local products", 1), 1e8), 32);
  EXPECT_EQ(printed(weights(models[7], "products", 1), 1e9), 173);
  // The names of the transformers say what they hold.
  EXPECT_EQ(printed(weights(models[1], "products", 1), 1e6), 679);
  EXPECT_EQ(printed(weights(models[4], "products", 1), 1e8), 64);
  for (const ComparedModel& m : models) EXPECT_NO_THROW(m.config.validate()) << m.name;
}

TEST(Figure3, MegabyteCostsLeastAtEverySizeAndLength) {
  const auto models = figure_3_models();
  for (std::size_t size = 0; size < models.size(); size += 3) {
    for (const Index T : kFigureLengths) {
      const double megabyte = per_byte(models[size], T);
      EXPECT_LT(megabyte, per_byte(models[size + 1], T)) << models[size].name << ", T " << T;
      EXPECT_LT(megabyte, per_byte(models[size + 2], T)) << models[size].name << ", T " << T;
    }
  }
}

// Section 3.1: 2 T (m_g / P + m_l), to which MEGABYTE's condition and head are small.
TEST(Figure3, ProductsFollowTheFormulaOfThePaper) {
  for (const std::size_t i : {0, 3, 6}) {
    const ComparedModel m = figure_3_models()[i];
    const auto parts = parts_of(m.config, 8192);
    const double formula = 2 * 8192 * (weights(m, "global products", 8) / 8 + weights(m, "local products", 1));
    EXPECT_DOUBLE_EQ(parts.at("global products") + parts.at("local products"), formula);
    EXPECT_LT(parts.at("condition") + parts.at("head"), 0.01 * formula) << m.name;
  }
}

// Section 3.1: in GPT-3, attention is 1.4 % of the cost (its windows have 2,048 tokens, its names as many layers).
TEST(Figure3, AttentionIsASmallShareOfGpt3) {
  const auto parts = parts_of(figure_3_models()[7].config, 2048);
  EXPECT_NEAR(parts.at("attention") / (parts.at("attention") + parts.at("products")), 0.014, 0.0005);
}

// Section 3.1: attention costs T^2 / P^2 globally and T P locally.
TEST(Figure3, AttentionGrowsAsThePaperSays) {
  const ModelConfig config = figure_3_models()[0].config;
  const auto at = [&](Index T) { return parts_of(config, T); };
  EXPECT_NEAR(at(1 << 20).at("global attention") / at(1 << 19).at("global attention"), 4, 1e-3);
  EXPECT_DOUBLE_EQ(at(1 << 20).at("local attention") / at(1 << 19).at("local attention"), 2);
  ModelConfig flat = config;  // the global stack on bytes: 64 times the pairs
  flat.scales = {{.unit = 1, .stack = config.scales[0].stack}};
  EXPECT_NEAR(parts_of(flat, 1 << 20).at("attention") / at(1 << 20).at("global attention"), 64, 1e-2);
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

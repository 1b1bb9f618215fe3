// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "figure_3.h"

namespace megalith::tool {
namespace {

const std::vector<Index> kLengths{1024, 4096, 16384, 65536, 262144, 1048576};

std::map<std::string, double> parts_of(const ComparedModel& m, Index T) {
  std::map<std::string, double> parts;
  for (const FlopsPart& part : forward_flops_by_part(m, {1, T})) parts[part.name] = part.flops;
  return parts;
}

double per_byte(const ComparedModel& m, Index T) {
  double sum = 0;
  for (const FlopsPart& part : forward_flops_by_part(m, {1, T})) sum += part.flops;
  return sum / static_cast<double>(T);
}

/// Weights in the products of a stack whose positions stand for U bytes.
double weights(const ComparedModel& m, const char* part, double U) { return parts_of(m, 1024).at(part) / 2 / (1024 / U); }

// Yu et al. 2023, figure 3 and section 3: MEGABYTE's sizes, to the digits printed.
TEST(Figure3, SizesAreThePrintedOnes) {
  const auto sizes = figure_3();
  ASSERT_EQ(sizes.size(), 3u);
  const ComparedModel &small = sizes[0].megabyte, &middle = sizes[1].megabyte, &large = sizes[2].megabyte;
  const auto printed = [](double number, double unit) { return std::floor(number / unit); };
  EXPECT_EQ(printed(weights(small, "global products", 8), 1e6), 452);
  EXPECT_EQ(std::round(weights(small, "local products", 1) / 1e6), 151);
  EXPECT_EQ(printed(weights(middle, "global products", 8), 1e8), 58);
  EXPECT_EQ(std::round(weights(middle, "local products", 1) / 1e6), 604);
  EXPECT_EQ(printed(weights(large, "global products", 8), 1e9), 170);
  EXPECT_EQ(printed(weights(large, "local products", 1), 1e8), 32);
  EXPECT_EQ(printed(weights(sizes[2].transformer, "products", 1), 1e9), 173);
  // The names of the transformers say what they hold.
  EXPECT_EQ(printed(weights(sizes[0].transformer, "products", 1), 1e6), 679);
  EXPECT_EQ(printed(weights(sizes[1].transformer, "products", 1), 1e8), 64);
  for (const Figure3Size& size : sizes)
    for (const ComparedModel* m : {&size.megabyte, &size.transformer, &size.linear_transformer, &size.nine_d_transformer})
      EXPECT_NO_THROW(m->config.validate()) << m->name;
}

TEST(Figure3, MegabyteCostsLeastAtEverySizeAndLength) {
  for (const Figure3Size& size : figure_3()) {
    for (const Index T : kLengths) {
      const double megabyte = per_byte(size.megabyte, T);
      EXPECT_LT(megabyte, per_byte(size.transformer, T)) << size.megabyte.name << ", T " << T;
      EXPECT_LT(megabyte, per_byte(size.linear_transformer, T)) << size.megabyte.name << ", T " << T;
      EXPECT_LT(megabyte, per_byte(size.nine_d_transformer, T)) << size.megabyte.name << ", T " << T;
    }
  }
}

// The paper counts 9 D for a layer's attention. Its running sums, in heads of d numbers, take 2 d D to add to, 2 d D to read
// from, and 2 D for the denominators: the rest of the model is the same.
TEST(Figure3, LinearAttentionCostsMoreThanThePaperCounts) {
  const double heads_of[] = {96, 128, 128}, widths[] = {1536, 4096, 12288}, layers[] = {24, 32, 96};
  const auto sizes = figure_3();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto computed = parts_of(sizes[i].linear_transformer, 4096), printed = parts_of(sizes[i].nine_d_transformer, 4096);
    EXPECT_DOUBLE_EQ(computed.at("attention"), 4096 * layers[i] * widths[i] * (4 * heads_of[i] + 2));
    EXPECT_DOUBLE_EQ(printed.at("attention"), 4096 * layers[i] * widths[i] * 9);
    computed.erase("attention");
    printed.erase("attention");
    EXPECT_EQ(computed, printed);
    auto softmax = parts_of(sizes[i].transformer, 4096);
    softmax.erase("attention");
    EXPECT_EQ(computed, softmax);
  }
}

// Section 3.1: 2 T (m_g / P + m_l), to which MEGABYTE's condition and head are small.
TEST(Figure3, ProductsFollowTheFormulaOfThePaper) {
  for (const Figure3Size& size : figure_3()) {
    const ComparedModel& m = size.megabyte;
    const auto parts = parts_of(m, 8192);
    const double formula = 2 * 8192 * (weights(m, "global products", 8) / 8 + weights(m, "local products", 1));
    EXPECT_DOUBLE_EQ(parts.at("global products") + parts.at("local products"), formula);
    EXPECT_LT(parts.at("condition") + parts.at("head"), 0.01 * formula) << m.name;
  }
}

// Section 3.1: in GPT-3, attention is 1.4 % of the cost (its windows have 2,048 tokens, its names as many layers).
TEST(Figure3, AttentionIsASmallShareOfGpt3) {
  const auto parts = parts_of(figure_3().back().transformer, 2048);
  EXPECT_NEAR(parts.at("attention") / (parts.at("attention") + parts.at("products")), 0.014, 0.0005);
}

// Section 3.1: attention costs T^2 / P^2 globally and T P locally.
TEST(Figure3, AttentionGrowsAsThePaperSays) {
  const ComparedModel megabyte = figure_3().front().megabyte;
  const auto at = [&](Index T) { return parts_of(megabyte, T); };
  EXPECT_NEAR(at(1 << 20).at("global attention") / at(1 << 19).at("global attention"), 4, 1e-3);
  EXPECT_DOUBLE_EQ(at(1 << 20).at("local attention") / at(1 << 19).at("local attention"), 2);
  ComparedModel flat = megabyte;  // the global stack on bytes: 64 times the pairs
  flat.config.scales = {{.patch = 1, .stack = megabyte.config.scales[0].stack}};
  EXPECT_NEAR(parts_of(flat, 1 << 20).at("attention") / at(1 << 20).at("global attention"), 64, 1e-2);
}

}  // namespace
}  // namespace megalith::tool

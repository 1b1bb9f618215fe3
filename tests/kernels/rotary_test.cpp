// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/rotary.h"

#include <gtest/gtest.h>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

constexpr Index kD = 8, kHeads = 3;
constexpr double kBase = 100;

Tensor<double> rotated(Tensor<double> x, Index position, Turn turn = Turn::forward) {
  Workspace workspace(2);
  rotate<double>(Context(workspace), testing::view(x), 0, kHeads, kD, position, kBase, turn);
  return x;
}

Tensor<double> noise(Index T) {
  Tensor<double> x({2, T, kHeads * kD + 2});  // two channels that stay as they are
  testing::fill_noise(x, {1});
  return x;
}

TEST(Rotary, TurnsThePairsOfTheTwoHalves) {
  const Tensor<double> x = noise(4), y = rotated(x, 5);
  for (Index row = 0; row < 8; ++row) {
    const double p = static_cast<double>(5 + row % 4);
    for (Index h = 0; h < kHeads; ++h) {
      for (Index i = 0; i < kD / 2; ++i) {
        const double angle = p * std::pow(kBase, -2.0 * static_cast<double>(i) / kD);
        const double a = x.row(row)[h * kD + i], b = x.row(row)[h * kD + i + kD / 2];
        EXPECT_NEAR(y.row(row)[h * kD + i], a * std::cos(angle) - b * std::sin(angle), 1e-14);
        EXPECT_NEAR(y.row(row)[h * kD + i + kD / 2], a * std::sin(angle) + b * std::cos(angle), 1e-14);
      }
    }
    EXPECT_EQ(y.row(row)[kHeads * kD], x.row(row)[kHeads * kD]);
    EXPECT_EQ(y.row(row)[kHeads * kD + 1], x.row(row)[kHeads * kD + 1]);
  }
}

TEST(Rotary, KeepsNorms) {
  const Tensor<double> x = noise(100), y = rotated(x, 0);
  for (Index row = 0; row < 200; ++row) EXPECT_NEAR(y.mat().row(row).norm(), x.mat().row(row).norm(), 1e-13);
  EXPECT_EQ(y.mat().row(0), x.mat().row(0));  // position 0 is not turned
}

TEST(Rotary, ProductsDependOnTheDistanceAlone) {
  const Tensor<double> x = noise(1);
  const auto head = [](const Tensor<double>& t, Index b) { return t.mat().row(b).head(kD); };  // of sequence b
  const Tensor<double> at3 = rotated(x, 3), at10 = rotated(x, 10), at103 = rotated(x, 103), at110 = rotated(x, 110);
  EXPECT_NEAR(head(at10, 0).dot(head(at3, 1)), head(at110, 0).dot(head(at103, 1)), 1e-13);
  EXPECT_GT(std::abs(head(at10, 0).dot(head(at3, 1)) - head(at10, 0).dot(head(at10, 1))), 1e-3);
}

TEST(Rotary, TurningBackUndoes) {
  const Tensor<double> x = noise(70);
  EXPECT_LT(testing::relative_error(rotated(rotated(x, 9), 9, Turn::back), x), 1e-14);
}

}  // namespace
}  // namespace megalith

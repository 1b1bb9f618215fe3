// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/timestep_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// Equation 4, as it stands: mean and variance of all numbers of the group up to each position.
std::vector<double> by_definition(const Tensor<double>& x, Index groups) {
  const Index T = x.dims()[1], C = x.cols(), W = C / groups;
  std::vector<double> y(static_cast<std::size_t>(x.size()));
  for (Index g = 0; g < groups; ++g) {
    for (Index t = 0; t < T; ++t) {
      const double n = static_cast<double>((t + 1) * W);
      double mean = 0, var = 0;
      const auto each = [&](auto&& f) {
        for (Index i = 0; i <= t; ++i)
          for (Index c = g * W; c < (g + 1) * W; ++c) f(x.row(i)[c]);
      };
      each([&](double v) { mean += v / n; });
      each([&](double v) { var += (v - mean) * (v - mean) / n; });
      for (Index c = g * W; c < (g + 1) * W; ++c)
        y[static_cast<std::size_t>(t * C + c)] = (x.row(t)[c] - mean) / std::sqrt(var + 1e-5);
    }
  }
  return y;
}

TEST(TimestepNorm, IsItsDefinition) {
  Tensor<double> x({1, 50, 6});
  testing::fill_noise(x, {1});
  for (const Index groups : {1, 2, 3}) {
    const Tensor<double> y = forward(TimestepNorm<double>(6, groups), x);
    const std::vector<double> expected = by_definition(x, groups);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(y.data()[i], expected[i], 1e-12) << groups << " groups";
  }
}

// With statistics that are summed up in float, y is 8e-5 off.
TEST(TimestepNorm, FloatStaysByDoubleOverManyPositions) {
  constexpr Index T = 100000;
  Tensor<double> x({1, T, 4});
  testing::fill_noise(x, {2});
  x.vec().array() += 3;
  Tensor<float> in_float({1, T, 4});
  in_float.vec() = x.vec().cast<float>();
  const Tensor<double> expected = forward(TimestepNorm<double>(4, 2), x);
  const Tensor<float> y = forward(TimestepNorm<float>(4, 2), in_float);
  EXPECT_LT((y.vec().cast<double>() - expected.vec()).cwiseAbs().maxCoeff(), 5e-5);
}

TEST(TimestepNorm, CountsBeyondWhatAFloatCan) {
  const TimestepNorm<float> m(4, 1);
  TimestepNorm<float>::State state(m, 1, 8);
  state.mean.fill(1);
  state.var.fill(4);
  state.count = (Index{1} << 24) + 1;
  Tensor<float> x({1, 2, 4}), y = x;
  x.fill(3);
  Workspace workspace(1);
  m.step(Context(workspace), testing::view(x), testing::view(y), state);
  EXPECT_EQ(state.count, (Index{1} << 24) + 3);
  EXPECT_NEAR(state.mean.data()[0], 1, 1e-6);
  EXPECT_NEAR(y.data()[0], 1, 1e-5);  // (3 - 1) / 2
}

TEST(TimestepNorm, ConstantInputBecomesZero) {
  Tensor<float> x({1, 1000, 4});
  x.fill(7);
  const Tensor<float> y = forward(TimestepNorm<float>(4, 2), x);
  EXPECT_EQ(y.vec().cwiseAbs().maxCoeff(), 0);
}

TEST(TimestepNorm, DamagedStatesAreNotValid) {
  const TimestepNorm<float> m(4, 2);
  TimestepNorm<float>::State state(m, 1, 8);
  EXPECT_TRUE(state.valid(0));
  state.count = 3;
  EXPECT_TRUE(state.valid(3));
  EXPECT_FALSE(state.valid(2));
  state.var.fill(-1);
  EXPECT_FALSE(state.valid(3));
  state.var.fill(std::numeric_limits<float>::quiet_NaN());
  EXPECT_FALSE(state.valid(3));
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/feed_forward.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

TEST(FeedForward, KnownValues) {
  FeedForward<double> m({.width = 1, .hidden = 2, .activation = Activation::relu});
  m.up.weight = tensor({1, 2}, {2, -3});
  m.up.bias = tensor({2}, {1, 1});
  m.down.weight = tensor({2, 1}, {10, 100});
  m.down.bias = tensor({1}, {0.5});
  const Tensor<double> y = forward(m, tensor({1, 2, 1}, {1, -1}));
  EXPECT_EQ(y.data()[0], 30.5);   // (3, -2) -> (3, 0)
  EXPECT_EQ(y.data()[1], 400.5);  // (-1, 4) -> (0, 4)
}

TEST(FeedForward, SwiGluHasGatesFirst) {
  FeedForward<double> m({.width = 1, .hidden = 1, .activation = Activation::swiglu, .bias = false});
  m.up.weight = tensor({1, 2}, {1, 3});
  m.down.weight = tensor({1, 1}, {1});
  EXPECT_NEAR(forward(m, tensor({1, 1, 1}, {2})).data()[0], 2 / (1 + std::exp(-2.0)) * 6, 1e-14);
}

TEST(FeedForward, Names) {
  EXPECT_EQ(parameter_names(FeedForward<float>({.width = 4})),
            (std::vector<std::string>{"up.weight", "up.bias", "down.weight", "down.bias"}));
}

TEST(FeedForward, ResidualFactorScalesTheLastProjection) {
  FeedForward<double> m({.width = 8});
  m.init({1}, {.std = 0.02, .residual = 0});
  EXPECT_EQ(m.down.weight.vec().cwiseAbs().maxCoeff(), 0);
  EXPECT_GT(m.up.weight.vec().cwiseAbs().maxCoeff(), 0);
}

}  // namespace
}  // namespace megalith::tests

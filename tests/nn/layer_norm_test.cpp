// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/layer_norm.h"

#include <gtest/gtest.h>

#include "support/in_place.h"

namespace megalith::tests {
namespace {

TEST(LayerNorm, KnownValues) {
  LayerNorm<double> m(4);
  m.gain = tensor({4}, {1, 1, 2, 2});
  m.bias = tensor({4}, {0, 1, 0, -1});
  // mean 3, variance ((-2)^2 + (-1)^2 + 0 + 3^2) / 4 = 3.5
  const Tensor<double> y = forward(m, tensor({1, 1, 4}, {1, 2, 3, 6}));
  const double s = std::sqrt(3.5 + 1e-5);
  const std::vector<double> expected{-2 / s, -1 / s + 1, 0, 6 / s - 1};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y.span()[i], expected[i], 1e-14);
}

TEST(LayerNorm, AConstantRowIsTheBias) {
  LayerNorm<float> m(5);
  m.bias.fill(0.25f);
  Tensor<float> x({1, 1, 5});
  x.fill(1000);
  const Tensor<float> y = forward(m, x);
  for (const float v : y.span()) EXPECT_EQ(v, 0.25f);
}

TEST(LayerNorm, StartsAsTheNormAlone) {
  LayerNorm<float> m(5);
  EXPECT_EQ(m.gain.vec().sum(), 5);
  EXPECT_EQ(parameter_names(m), (std::vector<std::string>{"gain", "bias"}));
}

TEST(LayerNorm, BackwardMayOverwriteItsGradient) { backward_in_place<LayerNorm<float>>(); }

}  // namespace
}  // namespace megalith::tests

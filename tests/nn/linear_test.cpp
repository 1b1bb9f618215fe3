// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/linear.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

TEST(Linear, KnownValues) {
  Linear<double> m(2, 3, true);
  m.weight = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  m.bias = tensor({3}, {10, 20, 30});
  const Tensor<double> y = forward(m, tensor({1, 2, 2}, {1, 0, 1, -1}));
  EXPECT_EQ(std::vector<double>(y.span().begin(), y.span().end()), (std::vector<double>{11, 22, 33, 7, 17, 27}));
}

TEST(Linear, NamesAndSizes) {
  EXPECT_EQ(parameter_names(Linear<float>(2, 3, true)), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(parameter_names(Linear<float>(2, 3, false)), (std::vector<std::string>{"weight"}));
  EXPECT_EQ(parameter_count(Linear<float>(2, 3, true)), 9);
}

TEST(Linear, InitIsATruncatedNormal) {
  Linear<double> m(100, 60, true);
  m.bias.fill(1);
  m.init({3}, {.std = 0.05});
  EXPECT_LE(m.weight.vec().cwiseAbs().maxCoeff(), 0.1);
  EXPECT_NEAR(m.weight.vec().norm() / std::sqrt(6000), 0.05 * std::sqrt(0.7737), 0.001);
  EXPECT_EQ(m.bias.vec().cwiseAbs().maxCoeff(), 0);
  m.init({3}, {});
  EXPECT_NEAR(m.weight.vec().norm() / std::sqrt(6000), 0.1 * std::sqrt(0.7737), 0.002);  // 1/sqrt(inputs)
}

}  // namespace
}  // namespace megalith::tests

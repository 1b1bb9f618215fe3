// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/rms_norm.h"

#include <gtest/gtest.h>

#include "support/in_place.h"

namespace megalith::tests {
namespace {

TEST(RmsNorm, KnownValues) {
  RmsNorm<double> m(2);
  m.gain = tensor({2}, {1, -2});
  // mean square (3^2 + 4^2) / 2 = 12.5; in the second row the eps of 1e-6 counts
  const Tensor<double> y = forward(m, tensor({1, 2, 2}, {3, 4, 1e-3, 0}));
  EXPECT_NEAR(y.data()[0], 3 / std::sqrt(12.5 + 1e-6), 1e-14);
  EXPECT_NEAR(y.data()[1], -8 / std::sqrt(12.5 + 1e-6), 1e-14);
  EXPECT_NEAR(y.data()[2], 1e-3 / std::sqrt(1.5e-6), 1e-14);
  EXPECT_EQ(y.data()[3], 0);
}

TEST(RmsNorm, NamesItsGain) { EXPECT_EQ(parameter_names(RmsNorm<float>(5)), (std::vector<std::string>{"gain"})); }

TEST(RmsNorm, BackwardMayOverwriteItsGradient) { backward_in_place<RmsNorm<float>>(); }

}  // namespace
}  // namespace megalith::tests

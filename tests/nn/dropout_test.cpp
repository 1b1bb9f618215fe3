// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/dropout.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

constexpr double kRate = 0.3;

TEST(Dropout, KeepsTheMeanAndDropsTheShare) {
  const Dropout<double> m(kRate, 50);
  Tensor<double> x({2, 500, 50});
  x.fill(1);
  const Tensor<double> y = forward(m, x, Mode::train);
  Index dropped = 0;
  for (const double v : y.span()) {
    if (v == 0) ++dropped;
    else ASSERT_NEAR(v, 1 / (1 - kRate), 1e-15);
  }
  const double n = static_cast<double>(y.size());
  EXPECT_NEAR(static_cast<double>(dropped) / n, kRate, 5 * std::sqrt(kRate * (1 - kRate) / n));
  EXPECT_NEAR(y.vec().mean(), 1, 0.02);
  // In every row and every column.
  EXPECT_LT(y.mat().rowwise().mean().maxCoeff(), 1.45);
  EXPECT_LT(y.mat().colwise().mean().maxCoeff(), 1.12);
  EXPECT_GT(y.mat().colwise().mean().minCoeff(), 0.88);
}

TEST(Dropout, IsAFunctionOfTheAbsoluteRow) {
  const Dropout<double> m(kRate, 7);
  const Tensor<double> x = noise({1, 40, 7}), whole = forward(m, x, Mode::train);
  Tensor<double> joined = whole;
  for (const Index begin : {0, 13}) {
    const Index count = begin == 0 ? 13 : 27;
    testing::put_rows(forward(m, testing::rows_of(x, begin, count), Mode::train, begin), begin, joined);
  }
  EXPECT_EQ(testing::bit_error(joined, whole), 0);
  EXPECT_NE(testing::bit_error(forward(m, x, Mode::train, 1), whole), 0);
}

TEST(Dropout, InferenceLeavesItOut) {
  const Tensor<double> x = noise({2, 3, 5});
  EXPECT_EQ(testing::bit_error(forward(Dropout<double>(kRate, 5), x), x), 0);
  EXPECT_EQ(testing::bit_error(forward(Dropout<double>(0, 5), x, Mode::train), x), 0);
}

}  // namespace
}  // namespace megalith::tests

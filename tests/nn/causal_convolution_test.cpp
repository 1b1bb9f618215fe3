// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/causal_convolution.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// Of width 3 from one channel to one: 100 times the row two before, 10 times the row before, and the row.
CausalConvolution<double> digits() {
  CausalConvolution<double> m(3, 1, 1, true);
  m.linear.weight = tensor({3, 1}, {100, 10, 1});
  m.linear.bias.fill(0.5);
  return m;
}

TEST(CausalConvolution, LooksBackAndSeesZerosBeforeTheFirstRow) {
  const Tensor<double> y = forward(digits(), tensor({2, 3, 1}, {1, 2, 3, 4, 5, 6}));
  const std::vector<double> wanted{1.5, 12.5, 123.5, 4.5, 45.5, 456.5};
  EXPECT_EQ(std::vector<double>(y.span().begin(), y.span().end()), wanted);
}

TEST(CausalConvolution, TheStateHoldsTheLastRows) {
  const CausalConvolution<double> m = digits();
  CausalConvolution<double>::State state(m, 1, 100);
  Workspace workspace(1);
  const Context ctx(workspace);
  std::vector<double> all;
  for (const double x : {1.0, 2.0, 3.0, 4.0}) {
    double y = 0;
    m.step(ctx, {&x, 1, 1, 1}, {&y, 1, 1, 1}, state);
    all.push_back(y);
  }
  EXPECT_EQ(all, (std::vector<double>{1.5, 12.5, 123.5, 234.5}));
  EXPECT_EQ(std::vector<double>(state.rows.span().begin(), state.rows.span().end()), (std::vector<double>{3, 4}));
  state.reset();
  EXPECT_EQ(state.rows.data()[0], 0);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/residual.h"

#include <gtest/gtest.h>

#include "megalith/nn/feed_forward.h"
#include "support/forward.h"

namespace megalith::tests {
namespace {

using Branch = FeedForward<double>;

Residual<Branch> make(double rate) {
  Residual<Branch> m(NormKind::layer, Branch({.width = 6, .hidden = 9}), rate);
  testing::fill_parameters(m, {1});
  return m;
}

TEST(Residual, AddsTheBranchOfTheNorm) {
  const Residual<Branch> m = make(0);
  const Tensor<double> x = noise({2, 5, 6});
  Tensor<double> expected = forward(m.branch, forward(m.norm, x));
  expected.vec() += x.vec();
  EXPECT_LT(testing::relative_error(forward(m, x, Mode::train), expected), 1e-14);
}

TEST(Residual, DropsOfTheBranchAlone) {
  const Residual<Branch> m = make(0.5);
  const Tensor<double> x = noise({2, 50, 6}), trained = forward(m, x, Mode::train), inferred = forward(m, x);
  Index as_x = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const double branch = inferred.data()[i] - x.data()[i], kept = trained.data()[i] - x.data()[i];
    if (kept == 0) ++as_x;
    else EXPECT_NEAR(kept, 2 * branch, 1e-12);
  }
  EXPECT_NEAR(static_cast<double>(as_x), 300, 50);
}

}  // namespace
}  // namespace megalith::tests

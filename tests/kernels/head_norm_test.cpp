// SPDX-License-Identifier: Apache-2.0
// Its gradient comes under the module tests of attention with qk_norm.
#include "megalith/kernels/head_norm.h"

#include <gtest/gtest.h>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

TEST(HeadNorm, EachHeadHasRmsOneTimesTheGain) {
  constexpr Index D = 4, heads = 3, first = 2;
  Workspace workspace(2);
  Tensor<double> x({2, 70, first + heads * D + 1}), gain({D});
  testing::fill_noise(x, {1});
  testing::fill_noise(gain, {2});
  x.vec() *= 100;  // eps is far below
  const Tensor<double> before = x;
  head_norm_forward<double>(Context(workspace), testing::view(x), first, heads, gain);
  for (Index row = 0; row < 140; ++row) {
    EXPECT_EQ(x.row(row)[0], before.row(row)[0]);
    EXPECT_EQ(x.row(row)[first + heads * D], before.row(row)[first + heads * D]);
    for (Index h = 0; h < heads; ++h) {
      const auto old = row_map(before.row(row) + first + h * D, D);
      const auto now = row_map(x.row(row) + first + h * D, D);
      const double rms = old.norm() / 2;  // sqrt(D) = 2
      for (Index c = 0; c < D; ++c) EXPECT_NEAR(now(c), gain.data()[c] * old(c) / rms, 1e-6);
    }
  }
}

}  // namespace
}  // namespace megalith

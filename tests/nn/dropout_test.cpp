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

/// Which numbers of (B,T,C) are kept, as 1, where they begin as `ctx` tells.
Tensor<double> mask(const Context& ctx, Shape shape, Index channels) {
  const Dropout<double> m(kRate, channels);
  Tensor<double> x({shape.B, shape.T, channels}), y = x;
  x.fill(1 - kRate);
  m.apply(ctx, testing::view(std::as_const(x)), testing::view(y));
  return y;
}

struct DropoutMaskTest : ::testing::Test {
  Workspace workspace{2};
  Context ctx{workspace};
  DropoutMaskTest() {
    ctx.mode = Mode::train;
    ctx.key = {5};
  }
};

TEST_F(DropoutMaskTest, IsAFunctionOfSequencePositionAndChannel) {
  constexpr Index B = 3, T = 40, C = 7;
  const Tensor<double> whole = mask(ctx, {B, T}, C);
  Tensor<double> joined({B, T, C});
  // Chunks of positions.
  for (const Index begin : {0, 13})
    testing::put_rows(mask(ctx.from_position(begin), {B, begin == 0 ? 13 : T - 13}, C), begin, joined);
  EXPECT_EQ(testing::bit_error(joined, whole), 0);
  // Micro-batches of sequences.
  for (const Index first : {0, 1}) {
    const Tensor<double> part = mask(ctx.from_sequence(first), {first == 0 ? 1 : B - 1, T}, C);
    std::copy_n(part.data(), part.size(), joined.row(first * T));
  }
  EXPECT_EQ(testing::bit_error(joined, whole), 0);
  // Tiles of rows, which begin and end within sequences.
  for (Index first = 0; first < B * T; first += 30) {
    const Tensor<double> part = mask(ctx.tile(first, T), {1, 30}, C);
    std::copy_n(part.data(), part.size(), joined.row(first));
  }
  EXPECT_EQ(testing::bit_error(joined, whole), 0);
  // The mask of a channel does not depend on how many there are.
  const Tensor<double> wide = mask(ctx, {B, T}, C + 6);
  for (Index i = 0; i < B * T; ++i)
    for (Index c = 0; c < C; ++c) ASSERT_EQ(wide.row(i)[c], whole.row(i)[c]) << i << ' ' << c;
}

TEST_F(DropoutMaskTest, DiffersForAnotherSequencePositionSiteAndKey) {
  constexpr Shape kShape{1, 40};
  const Tensor<double> here = mask(ctx, kShape, 7);
  EXPECT_NE(testing::bit_error(mask(ctx.from_sequence(1), kShape, 7), here), 0);
  EXPECT_NE(testing::bit_error(mask(ctx.from_position(1), kShape, 7), here), 0);
  EXPECT_NE(testing::bit_error(mask(ctx.site(1), kShape, 7), here), 0);
  Context later = ctx;
  later.key = {6};
  EXPECT_NE(testing::bit_error(mask(later, kShape, 7), here), 0);
  // A sequence does not go on with the mask of the one before it.
  EXPECT_NE(testing::bit_error(mask(ctx.from_sequence(1), kShape, 7), mask(ctx.from_position(kShape.T), kShape, 7)), 0);
}

TEST(Dropout, InferenceLeavesItOut) {
  const Tensor<double> x = noise({2, 3, 5});
  EXPECT_EQ(testing::bit_error(forward(Dropout<double>(kRate, 5), x), x), 0);
  EXPECT_EQ(testing::bit_error(forward(Dropout<double>(0, 5), x, Mode::train), x), 0);
}

}  // namespace
}  // namespace megalith::tests

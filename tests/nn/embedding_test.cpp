// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/embedding.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/forward.h"

namespace megalith::tests {
namespace {

constexpr Index kChannels = 70;  // more than a task's columns

struct EmbeddingTest : ::testing::Test {
  Workspace workspace{3};
  Context ctx{workspace};
  const std::vector<ByteOrNone> ids{7, kNoByte, 255, 0, 7};
  const Index n = static_cast<Index>(ids.size());
};

TEST_F(EmbeddingTest, PicksRowsAndLeavesThoseWithoutAByte) {
  const Tensor<double> table = noise({256, kChannels});
  Tensor<double> out({n, kChannels});
  out.fill(-3);
  embed(ctx, table, ids.data(), n, out.data());
  for (Index i = 0; i < n; ++i) {
    const ByteOrNone id = ids[static_cast<std::size_t>(i)];
    for (Index c = 0; c < kChannels; ++c) EXPECT_EQ(out.row(i)[c], id == kNoByte ? -3 : table.row(id)[c]);
  }
}

TEST_F(EmbeddingTest, AddsTheGradientsOfARowThatWasPickedTwice) {
  const Tensor<double> dout = noise({n, kChannels});
  Tensor<double> grad({256, kChannels});
  grad.fill(1);
  embed_backward(ctx, ids.data(), n, dout.data(), grad);
  for (Index c = 0; c < kChannels; ++c) {
    EXPECT_EQ(grad.row(7)[c], 1 + dout.row(0)[c] + dout.row(4)[c]);
    EXPECT_EQ(grad.row(255)[c], 1 + dout.row(2)[c]);
    EXPECT_EQ(grad.row(0)[c], 1 + dout.row(3)[c]);
    EXPECT_EQ(grad.row(1)[c], 1);
  }
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/copy.h"

#include <gtest/gtest.h>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

TEST(CopyChannels, TakesThoseAndLeavesTheOthers) {
  Workspace workspace(3);
  for (const Index rows : {1, 63, 5000}) {  // the last in several tasks
    Tensor<float> from({2, rows, 7}), to({2, rows, 5});
    testing::fill_noise(from, {1});
    testing::fill_noise(to, {2});
    Matrix<float> expected = to.mat();
    expected.middleCols(1, 3) = from.mat().middleCols(4, 3);
    copy_channels(Context(workspace), testing::view(from), 4, testing::view(to), 1, 3);
    EXPECT_EQ(to.mat(), expected) << rows;
  }
}

TEST(Copy, TakesAll) {
  Workspace workspace(2);
  Tensor<float> from({2, 100, 3}), to({2, 100, 3});
  testing::fill_noise(from, {1});
  copy(Context(workspace), testing::view(from), testing::view(to));
  EXPECT_EQ(to.vec(), from.vec());
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/add.h"

#include <gtest/gtest.h>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

TEST(AddTo, AddsEveryNumberOnce) {
  Workspace workspace(3);
  for (const Index rows : {1, 63, 1000}) {  // the last in several tasks
    Tensor<float> from({2, rows, 33}), to({2, rows, 33});
    testing::fill_noise(from, {1});
    testing::fill_noise(to, {2});
    const RowVector<float> expected = to.vec() + from.vec();
    add_to(Context(workspace), testing::view(std::as_const(from)), testing::view(to));
    EXPECT_EQ(to.vec(), expected) << rows;
  }
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/column_sum.h"

#include <gtest/gtest.h>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

TEST(ColumnSums, AddToWhatIsThere) {
  Workspace workspace(3);
  const Context ctx(workspace);
  for (const Index rows : {1, 63, 64, 65, 1000}) {
    for (const Index C : {1, 63, 64, 65, 200}) {
      Tensor<double> x({1, rows, C}), sum({C});
      testing::fill_noise(x, {1});
      testing::fill_noise(sum, {2});
      const RowVector<double> expected = sum.vec() + x.mat().colwise().sum();
      add_column_sums<double>(ctx, testing::view(std::as_const(x)), sum.vec());
      EXPECT_LT((sum.vec() - expected).cwiseAbs().maxCoeff(), 1e-12) << rows << " rows, " << C << " columns";
    }
  }
}

TEST(ColumnSums, StayExactOverManyRows) {
  Workspace workspace(2);
  Tensor<float> x({1, 100000, 3}), sum({3});
  x.fill(0.1f);
  add_column_sums<float>(Context(workspace), testing::view(std::as_const(x)), sum.vec());
  EXPECT_NEAR(sum.data()[1], 10000.0f, 0.5f);  // one running float sum is 1.5 off
}

TEST(ColumnSums, SameBitsOnAnyNumberOfThreads) {
  Tensor<float> x({2, 700, 1500}), one;
  testing::fill_noise(x, {3});
  for (const int threads : {1, 2, 3, 7, 16}) {
    Workspace workspace(threads);
    Tensor<float> sum({1500});
    add_column_sums<float>(Context(workspace), testing::view(std::as_const(x)), sum.vec());
    if (threads == 1) one = sum;
    EXPECT_EQ(testing::bit_error(sum, one), 0) << threads << " threads";
  }
}

}  // namespace
}  // namespace megalith

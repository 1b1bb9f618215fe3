// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/seq.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace megalith {
namespace {

TEST(Seq, RowsAndSequences) {
  std::vector<float> numbers(24);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  const Seq<float> x{numbers.data(), 2, 3, 4};
  EXPECT_EQ(x.row_count(), 6);
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.rows()(5, 3), 23);
  EXPECT_EQ(x.row(3)[0], 12);
  const Seq<float> second = x.sequences(1, 1);
  EXPECT_EQ(second.B, 1);
  EXPECT_EQ(second.rows()(0, 0), 12);
  // Row-major (B,K,P*D) is (B*K,P,D): the memory of a patch is that of its bytes.
  const Seq<float> patches = x.viewed_as(6, 2, 2);
  EXPECT_EQ(patches.sequences(1, 1).rows()(1, 0), 6);
  const Seq<const float> constant = x;
  EXPECT_EQ(constant.vec().sum(), 276);
}

TEST(Bytes, Rows) {
  const std::uint8_t data[] = {1, 2, 3, 4, 5, 6};
  const Bytes bytes{data, 2, 3};
  EXPECT_EQ(bytes.row(1)[0], 4);
  EXPECT_EQ(bytes.shape(), (Shape{2, 3}));
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace megalith {
namespace {

TEST(Tensor, IsZeroAlignedAndShaped) {
  const Tensor<float> t({2, 3, 5});
  EXPECT_EQ(t.size(), 30);
  EXPECT_EQ(t.rows(), 6);
  EXPECT_EQ(t.cols(), 5);
  EXPECT_EQ(t.dims().size(), 3u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data()) % kAlignment, 0u);
  for (const float v : t.span()) EXPECT_EQ(v, 0);
  EXPECT_EQ(t.row(4), t.data() + 20);
}

TEST(Tensor, EmptyHasNoRows) {
  const Tensor<float> none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.rows(), 0);
  EXPECT_EQ(none.cols(), 0);
  EXPECT_EQ(Tensor<float>(none).size(), 0);
  EXPECT_EQ(Tensor<float>({3, 0}).size(), 0);
  EXPECT_EQ(Tensor<float>({3}).rows(), 1);
}

TEST(Tensor, CopiesAreApartAndReuseMemory) {
  Tensor<double> a({2, 2});
  a.fill(3);
  Tensor<double> b = a;
  b.data()[0] = 4;
  EXPECT_EQ(a.data()[0], 3);
  const double* const memory = b.data();
  b = Tensor<double>(a);  // moved: takes the other's memory
  EXPECT_NE(b.data(), memory);
  const double* const kept = b.data();
  const Tensor<double> c({4});
  b = c;  // copied: four numbers in both
  EXPECT_EQ(b.data(), kept);
  EXPECT_EQ(b.dims().size(), 1u);
  EXPECT_EQ(b.data()[0], 0);
  Tensor<double>& alias = b;
  b = alias;
  EXPECT_EQ(b.size(), 4);
}

TEST(Tensor, MovedFromIsEmpty) {
  Tensor<float> a({3});
  const Tensor<float> b = std::move(a);
  EXPECT_EQ(b.size(), 3);
  EXPECT_TRUE(a.empty());  // NOLINT: the state after a move is defined
  a = b;
  EXPECT_EQ(a.size(), 3);
}

TEST(Tensor, ViewsAreRowMajor) {
  Tensor<float> t({2, 3});
  t.mat()(1, 0) = 5;
  EXPECT_EQ(t.data()[3], 5);
  EXPECT_EQ(std::as_const(t).vec()(3), 5);
}

}  // namespace
}  // namespace megalith

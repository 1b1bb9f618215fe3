// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/shape_only.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace megalith {
namespace {

using Shapes = Tensor<ShapeOnly>;

TEST(ShapeOnly, ATensorHasDimensionsAlone) {
  const Shapes t({2, 3, 4});
  EXPECT_EQ(std::vector<Index>(t.dims().begin(), t.dims().end()), (std::vector<Index>{2, 3, 4}));
  EXPECT_EQ(t.size(), 24);
  EXPECT_EQ(t.rows(), 6);
  EXPECT_EQ(t.cols(), 4);
  EXPECT_FALSE(t.empty());
  const Shapes none;
  EXPECT_EQ(none.numbers(), 0);
  EXPECT_EQ(none.cols(), 0);
  EXPECT_EQ(none.rows(), 0);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(Shapes({0, 5}).rows(), 0);
}

TEST(ShapeOnly, MoreNumbersThanAnIndexHolds) {
  const Shapes t({Index{1} << 40, Index{1} << 40});
  EXPECT_EQ(t.numbers(), 0x1.0p80);
  EXPECT_GT(t.size(), Index{1} << 61);
}

TEST(ShapeOnly, CountsTheTensorsThatLive) {
  const double before = Shapes::live();
  {
    Shapes a({2, 3});
    EXPECT_EQ(Shapes::live() - before, 6);
    Shapes b = a;
    EXPECT_EQ(Shapes::live() - before, 12);
    b = Shapes({10});
    EXPECT_EQ(Shapes::live() - before, 16);
    const Shapes moved = std::move(a);
    EXPECT_GE(Shapes::live() - before, 16);
    std::vector<Shapes> grown;
    for (int i = 0; i < 20; ++i) grown.emplace_back(std::initializer_list<Index>{7});
  }
  EXPECT_EQ(Shapes::live(), before);
}

TEST(ShapeOnly, NumbersOfWhatIsMade) {
  EXPECT_EQ(numbers_of([] { return std::pair(Shapes({3}), Shapes({4, 5})); }), 23);
  EXPECT_EQ(numbers_of([] { return 1; }), 0);
  const Shapes outside({100});
  EXPECT_EQ(numbers_of([&] { return Shapes({outside.size() + 1}); }), 101);
}

}  // namespace
}  // namespace megalith

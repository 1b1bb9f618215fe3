// SPDX-License-Identifier: Apache-2.0
#include "megalith/core/random.h"

#include <gtest/gtest.h>

#include <set>

namespace megalith {
namespace {

// Known answers of philox4x32-10 from Random123 1.14 (kat_vectors), counter and key all 0, all 1, and the digits of pi.
TEST(RandomWords, KnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(random_words({0}, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(random_words({~0ull}, ~0ull, ~0ull), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(random_words({0x299f31d0a4093822ull}, 0x0370734413198a2eull, 0x85a308d3243f6a88ull),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomKey, ChildrenDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const RandomKey key{seed};
    seen.insert(key.value);
    for (std::uint64_t i = 0; i < 50; ++i) {
      seen.insert(key.child(i).value);
      seen.insert(key.child(i).child(i).value);
    }
  }
  EXPECT_EQ(seen.size(), 20u * 101u);
}

TEST(RandomUniform, MeanAndVariance) {
  const RandomKey key{7};
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = random_uniform(key, i);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
  }
  EXPECT_NEAR(sum / n, 0.5, 0.004);  // four standard deviations
  EXPECT_NEAR(squares / n, 1.0 / 12, 0.001);
}

TEST(RandomBelow, ReachesEveryValueEvenly) {
  constexpr Index n = 7;
  std::array<int, n> count{};
  for (std::uint64_t i = 0; i < 70000; ++i) {
    const Index k = random_below({3}, i, n);
    ASSERT_TRUE(k >= 0 && k < n);
    ++count[static_cast<std::size_t>(k)];
  }
  for (const int c : count) EXPECT_NEAR(c, 10000, 400);
  EXPECT_EQ(random_below({3}, 5, 1), 0);
  EXPECT_LT(random_below({3}, 5, Index{1} << 62), Index{1} << 62);
}

TEST(RandomTruncatedNormal, MomentsAndRange) {
  constexpr int n = 100000;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double z = random_truncated_normal({11}, i);
    ASSERT_LE(std::abs(z), 2);
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / n, 0, 0.012);
  // 1 - 2 * 2 phi(2) / (2 Phi(2) - 1) for a normal cut at two standard deviations.
  EXPECT_NEAR(squares / n, 0.7737, 0.01);
}

}  // namespace
}  // namespace megalith

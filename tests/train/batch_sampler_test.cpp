// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/batch_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "megalith/train/weighted_windows.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(RandomWindows, DependOnStepAndWindowAlone) {
  const TemporaryFolder folder;
  std::string data;
  for (std::uint64_t i = 0; i < 1000; ++i) data += static_cast<char>(random_bits({1}, i));
  const Corpus corpus({folder.write("data", data)});
  const RandomWindows windows({&corpus, 100, 900}, 10, RandomKey{5});
  std::vector<std::uint8_t> eight(80), two(20);
  windows.fill(7, 0, 10, eight);
  windows.fill(7, 4, 10, two);
  EXPECT_TRUE(std::equal(two.begin(), two.end(), eight.begin() + 40));
  windows.fill(8, 4, 10, two);
  EXPECT_FALSE(std::equal(two.begin(), two.end(), eight.begin() + 40));
}

TEST(RandomWindows, ReachBothEndsAndNotBeyond) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", "x0123456789y")});
  const RandomWindows windows({&corpus, 1, 11}, 8, RandomKey{5});
  std::map<std::string, int> seen;
  for (std::int64_t step = 0; step < 300; ++step) {
    std::string window(8, ' ');
    windows.fill(step, 0, 8, std::span(reinterpret_cast<std::uint8_t*>(window.data()), 8));
    ++seen[window];
  }
  ASSERT_EQ(seen.size(), 3u);  // 0..7, 1..8, 2..9
  for (const auto& [window, count] : seen) EXPECT_NEAR(count, 100, 35) << window;
}

TEST(RandomWindows, Errors) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", "short")});
  EXPECT_ERROR(RandomWindows(corpus.all(), 16, RandomKey{1}), "5 bytes, fewer than one window of 16");
}

TEST(WeightedWindows, SourcesAreDrawnByTheirWeights) {
  const TemporaryFolder folder;
  const Corpus small({folder.write("a", std::string(20, 'a'))}), large({folder.write("b", std::string(5000, 'b'))}),
      third({folder.write("c", std::string(100, 'c'))});
  const WeightedWindows windows({{small.all(), 3}, {large.all(), 1}, {third.all(), 0.5}}, 10, RandomKey{5});
  std::map<char, int> seen;
  std::string all(10000, ' ');
  windows.fill(7, 0, 10, std::span(reinterpret_cast<std::uint8_t*>(all.data()), all.size()));
  for (std::size_t i = 0; i < all.size(); i += 10) {
    EXPECT_EQ(all.substr(i, 10), std::string(10, all[i]));
    ++seen[all[i]];
  }
  EXPECT_NEAR(seen['a'], 667, 60);
  EXPECT_NEAR(seen['b'], 222, 50);
  EXPECT_NEAR(seen['c'], 111, 40);
  // A window depends on step and number alone.
  std::string later(300, ' ');
  windows.fill(7, 100, 10, std::span(reinterpret_cast<std::uint8_t*>(later.data()), later.size()));
  EXPECT_EQ(later, all.substr(1000, 300));
  windows.fill(8, 100, 10, std::span(reinterpret_cast<std::uint8_t*>(later.data()), later.size()));
  EXPECT_NE(later, all.substr(1000, 300));
  EXPECT_NE(windows.describe(),
            WeightedWindows({{small.all(), 2}, {large.all(), 1}, {third.all(), 0.5}}, 10, {5}).describe());
}

TEST(WeightedWindows, Errors) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", "short")});
  EXPECT_ERROR(WeightedWindows({}, 4, RandomKey{1}), "at least one source");
  EXPECT_ERROR(WeightedWindows({{corpus.all(), 1}, {corpus.all(), 0}}, 4, RandomKey{1}), "the weight of source 2 is 0");
  EXPECT_ERROR(WeightedWindows({{corpus.all(), 1e308}, {corpus.all(), 1e308}}, 4, RandomKey{1}), "give smaller ones");
  EXPECT_ERROR(WeightedWindows({{corpus.all(), 1}}, 16, RandomKey{1}), "5 bytes, fewer than one window of 16");
}

}  // namespace
}  // namespace megalith

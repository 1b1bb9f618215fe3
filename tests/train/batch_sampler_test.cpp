// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/batch_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

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

}  // namespace
}  // namespace megalith

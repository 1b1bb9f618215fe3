// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/stream_windows.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

using Starts = std::vector<Index>;

/// What stream `number` gives in a step.
std::string window_of(const BatchSampler& windows, std::int64_t step, Index number, std::size_t length) {
  std::string out(length, '?');
  windows.fill(step, number, static_cast<Index>(length), std::span(reinterpret_cast<std::uint8_t*>(out.data()), length));
  return out;
}

TEST(StreamWindows, FollowOneAnotherThroughTheFiles) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", "abcdefg"), folder.write("b", "ABCDE"), folder.write("c", "0123")}, "#");
  const StreamWindows windows(corpus.all(), {.streams = 1, .length = 4});
  const std::string all = "abcdefgABCDE0123";
  const Starts starts[]{{0}, {3}, {}, {0}};
  for (std::int64_t step = 0; step < 12; ++step) {
    EXPECT_EQ(window_of(windows, step, 0, 4), all.substr(static_cast<std::size_t>(step % 4 * 4), 4)) << step;
    EXPECT_EQ(windows.beginnings(step, 0, 4), starts[step % 4]) << step;
  }
}

TEST(StreamWindows, EachHasItsPartOfTheData) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", "abcdefgh"), folder.write("b", "ABCDEFG")});
  const StreamWindows windows(corpus.all(), {.streams = 2, .length = 3});
  // Fifteen bytes: seven and eight, each of which begins again behind its end.
  const std::string first = "abcdefgabcdefg", second = "hABCDEFGhABCDEFG";
  for (std::int64_t step = 0; step < 4; ++step) {
    const auto at = static_cast<std::size_t>(step * 3);
    EXPECT_EQ(window_of(windows, step, 0, 3), first.substr(at, 3)) << step;
    EXPECT_EQ(window_of(windows, step, 1, 3), second.substr(at, 3)) << step;
  }
  EXPECT_EQ(windows.beginnings(0, 1, 3), (Starts{0, 1}));
  EXPECT_EQ(windows.beginnings(1, 1, 3), Starts{});
  EXPECT_EQ(windows.beginnings(2, 0, 3), Starts{1});
  EXPECT_EQ(windows.beginnings(2, 1, 3), Starts{2});
  std::vector<std::uint8_t> both(6);
  windows.fill(1, 0, 3, both);
  EXPECT_EQ(std::string(both.begin(), both.end()), "defCDE");
}

TEST(StreamWindows, EndsOfFilesThatAreNoWholeUnitAreLeftOut) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", "abcdefg"), folder.write("b", "xyz"), folder.write("c", "ABCD")});
  const StreamWindows windows(corpus.all(), {.streams = 1, .length = 8, .unit = 4});
  EXPECT_EQ(window_of(windows, 0, 0, 8), "abcdABCD");
  EXPECT_EQ(windows.beginnings(0, 0, 8), (Starts{0, 4}));
  // Streams begin at units too.
  const StreamWindows two(corpus.all(), {.streams = 2, .length = 4, .unit = 4});
  EXPECT_EQ(window_of(two, 5, 1, 4), "ABCD");
}

TEST(StreamWindows, GoOnAcrossFiles) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", "abc"), folder.write("b", "ABCD")}, "#");
  const StreamWindows windows(corpus.all(), {.streams = 1, .length = 4, .across_files = true});
  EXPECT_EQ(window_of(windows, 0, 0, 4) + window_of(windows, 1, 0, 4), "abc#ABCD");
  EXPECT_EQ(windows.beginnings(0, 0, 4), Starts{0});
  EXPECT_EQ(windows.beginnings(1, 0, 4), Starts{});
  EXPECT_EQ(windows.beginnings(2, 0, 4), Starts{0});
}

TEST(StreamWindows, RefuseTooFewBytes) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", "abcdefg"), folder.write("b", "xyz")});
  EXPECT_ERROR(StreamWindows(corpus.all(), {.streams = 3, .length = 4}),
               "the training data have 10 bytes for 3 streams of windows of 4 bytes, fewer than one window each");
  EXPECT_ERROR(StreamWindows(corpus.all(), {.streams = 1, .length = 6, .unit = 4}), "a multiple of the model's unit of 4");
}

}  // namespace
}  // namespace megalith

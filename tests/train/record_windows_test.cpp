// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/record_windows.h"

#include <gtest/gtest.h>

#include <map>

#include "megalith/train/weighted_windows.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

const RecordConfig kPicture{24, {.kind = ScanKind::patch, .width = 4, .height = 2, .channels = 3, .tile = 2}};

/// Bytes that tell where they stand: `from`, from + 1 and so on.
std::string counted_from(int from, std::size_t n) {
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(from + static_cast<int>(i));
  return bytes;
}

std::string in_order(const RecordConfig& record, const std::string& file) {
  const auto ordered =
      Scan(record).to_model("the file", std::span(reinterpret_cast<const std::uint8_t*>(file.data()), file.size()));
  return {ordered.begin(), ordered.end()};
}

/// How often each window is drawn.
std::map<std::string, int> drawn(const BatchSampler& windows, std::size_t length, std::int64_t draws) {
  std::map<std::string, int> seen;
  for (std::int64_t step = 0; step < draws; ++step) {
    std::string window(length, ' ');
    windows.fill(step, step % 5, static_cast<Index>(length),
                 std::span(reinterpret_cast<std::uint8_t*>(window.data()), length));
    ++seen[window];
  }
  return seen;
}

void expect_evenly(const std::map<std::string, int>& seen, const std::vector<std::string>& expected, int each) {
  EXPECT_EQ(seen.size(), expected.size());
  for (const std::string& window : expected) {
    ASSERT_TRUE(seen.contains(window)) << static_cast<int>(window[0]);
    EXPECT_NEAR(seen.at(window), each, each / 2) << static_cast<int>(window[0]);
  }
}

TEST(RecordWindows, BeginAtTheRecordsOfEachFile) {
  const TemporaryFolder folder;
  const std::string a = counted_from(0, 22), b = counted_from(50, 7), c = counted_from(100, 12);
  const Corpus corpus({folder.write("a", a), folder.write("b", b), folder.write("c", c)}, "#");
  const RecordWindows windows(corpus.all(), 8, RandomKey{5}, {4, {}});
  // Two records each; b has no whole window, and the last bytes of a are no record.
  expect_evenly(drawn(windows, 8, 1200),
                {a.substr(0, 8), a.substr(4, 8), a.substr(8, 8), a.substr(12, 8), c.substr(0, 8), c.substr(4, 8)}, 200);
}

TEST(RecordWindows, ArePiecesOfALongerRecordInItsOrder) {
  const TemporaryFolder folder;
  const std::string a = counted_from(0, 48), b = counted_from(100, 38);
  const Corpus corpus({folder.write("a", a), folder.write("b", b)}, "-");
  std::vector<std::string> expected;
  for (const std::string& whole : {a, b.substr(0, 24)})
    for (std::size_t i = 0; i < whole.size(); i += 12) expected.push_back(in_order(kPicture, whole).substr(i, 12));
  expect_evenly(drawn(RecordWindows(corpus.all(), 12, RandomKey{5}, kPicture), 12, 1200), expected, 200);
  // In the order of the file a piece of a record that is cut off is one like others.
  RecordConfig plain = kPicture;
  plain.scan = {};
  const auto seen = drawn(RecordWindows(corpus.all(), 6, RandomKey{5}, plain), 6, 2000);
  EXPECT_EQ(seen.size(), 48u / 6 + 38 / 6);
  EXPECT_TRUE(seen.contains(b.substr(24, 6)));
}

TEST(RecordWindows, HaveSeveralRecordsEachInItsOrder) {
  const TemporaryFolder folder;
  const std::string a = counted_from(0, 3 * 24 + 5);
  const Corpus corpus({folder.write("a", a)});
  const auto window = [&](std::size_t at) { return in_order(kPicture, a.substr(at, 48)); };
  expect_evenly(drawn(RecordWindows(corpus.all(), 48, RandomKey{5}, kPicture), 48, 400), {window(0), window(24)}, 200);
}

TEST(RecordWindows, DependOnStepAndWindowAlone) {
  const TemporaryFolder folder;
  std::string data;
  for (std::uint64_t i = 0; i < 2400; ++i) data += static_cast<char>(random_bits({1}, i));
  const Corpus corpus({folder.write("data", data)});
  const RecordWindows windows({&corpus, 24, 2000}, 24, RandomKey{5}, kPicture);
  std::vector<std::uint8_t> eight(8 * 24), two(2 * 24);
  windows.fill(7, 0, 24, eight);
  windows.fill(7, 4, 24, two);
  EXPECT_TRUE(std::equal(two.begin(), two.end(), eight.begin() + 4 * 24));
  windows.fill(8, 4, 24, two);
  EXPECT_FALSE(std::equal(two.begin(), two.end(), eight.begin() + 4 * 24));
}

TEST(RecordWindows, CountWhatNoWindowHas) {
  EXPECT_EQ(RecordWindows::starts(22, 8, {4, {}}), 4);
  EXPECT_EQ(RecordWindows::left_out(22, 8, {4, {}}), 2);
  EXPECT_EQ(RecordWindows::starts(7, 8, {4, {}}), 0);
  EXPECT_EQ(RecordWindows::left_out(7, 8, {4, {}}), 7);
  EXPECT_EQ(RecordWindows::starts(38, 12, kPicture), 2);
  EXPECT_EQ(RecordWindows::left_out(38, 12, kPicture), 14);
  EXPECT_EQ(RecordWindows::left_out(36, 12, {24, {}}), 0) << "in the order of the file parts of records are windows too";
}

TEST(RecordWindows, OfSourcesByWeights) {
  const TemporaryFolder folder;
  const std::string a = counted_from(0, 25), b = counted_from(100, 49);
  const Corpus first({folder.write("a", a)}), second({folder.write("b", b)});
  const WeightedWindows windows({{first.all(), 1}, {second.all(), 2}}, 24, RandomKey{5}, kPicture);
  expect_evenly(
      drawn(windows, 24, 600),
      {in_order(kPicture, a.substr(0, 24)), in_order(kPicture, b.substr(0, 24)), in_order(kPicture, b.substr(24, 24))}, 200);
}

TEST(RecordWindows, Errors) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("data", std::string(23, 'x'))});
  EXPECT_ERROR(RecordWindows(corpus.all(), 24, RandomKey{1}, kPicture),
               "has a whole window of 24 bytes (records of 24 bytes in the order patch:4x2x3:2); add data");
  EXPECT_ERROR(RecordWindows(corpus.all(), 16, RandomKey{1}, kPicture), "16 bytes, and the records 24; one of them must be");
  EXPECT_ERROR(RecordWindows(corpus.all(), 16, RandomKey{1}, {16, {.kind = ScanKind::split, .sample_bytes = 3}}),
               "sample_bytes = 3");
}

}  // namespace
}  // namespace megalith

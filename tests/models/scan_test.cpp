// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/scan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

RecordConfig picture(Index width, Index height, Index channels, Index tile) {
  return {width * height * channels,
          {.kind = ScanKind::patch, .width = width, .height = height, .channels = channels, .tile = tile}};
}
RecordConfig samples(Index bytes, Index sample_bytes) {
  return {bytes, {.kind = ScanKind::split, .sample_bytes = sample_bytes}};
}

std::vector<std::int64_t> order_of(const Scan& scan) {
  std::vector<std::int64_t> order;
  for (Index i = 0; i < scan.record(); ++i) order.push_back(scan.in_file(i));
  return order;
}

// Fig. 6 of the paper: 36 positions, 9 patches of 4.
TEST(Scan, ThePapersFigureOfPatches) {
  const std::vector<std::int64_t> expected{0,  1,  6,  7,  2,  3,  8,  9,  4,  5,  10, 11, 12, 13, 18, 19, 14, 15,
                                           20, 21, 16, 17, 22, 23, 24, 25, 30, 31, 26, 27, 32, 33, 28, 29, 34, 35};
  EXPECT_EQ(order_of(Scan(picture(6, 6, 1, 2))), expected);
}

TEST(Scan, PixelsOfATileLieTogetherRowByRow) {
  const Index W = 12, H = 8, C = 3, p = 4;
  const Scan scan(picture(W, H, C, p));
  for (Index y = 0; y < H; ++y)
    for (Index x = 0; x < W; ++x)
      for (Index c = 0; c < C; ++c) {
        const Index at = (y / p * (W / p) + x / p) * (p * p * C) + (y % p * p + x % p) * C + c;
        EXPECT_EQ(scan.in_file(at), (y * W + x) * C + c) << y << " " << x << " " << c;
        EXPECT_EQ(scan.in_file(W * H * C + at), W * H * C + (y * W + x) * C + c) << "of the next record";
      }
}

TEST(Scan, SplitPutsBytesOfOneWeightTogether) {
  EXPECT_EQ(order_of(Scan(samples(8, 2))), (std::vector<std::int64_t>{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(order_of(Scan(samples(6, 3))), (std::vector<std::int64_t>{0, 3, 1, 4, 2, 5}));
}

TEST(Scan, IsAPermutationOfEachPiece) {
  for (const RecordConfig& record : {picture(6, 6, 1, 2), picture(8, 4, 3, 2), picture(4, 8, 3, 4), picture(5, 3, 2, 1),
                                     samples(12, 2), samples(12, 4), RecordConfig{7, {}}}) {
    const Scan scan(record);
    ASSERT_EQ(record.bytes % scan.piece(), 0) << in_words(record);
    std::set<std::int64_t> seen;
    for (Index i = 0; i < scan.record(); ++i) {
      seen.insert(scan.in_file(i));
      const bool whole = (i + 1) % scan.piece() == 0;
      EXPECT_TRUE(!whole || *seen.rbegin() == i) << in_words(record) << ", the first " << i + 1;
    }
    EXPECT_EQ(std::ssize(seen), record.bytes) << in_words(record);
  }
  EXPECT_EQ(Scan(picture(8, 4, 3, 2)).piece(), 8 * 3 * 2) << "a row of tiles";
  EXPECT_EQ(Scan(RecordConfig{7, {}}).piece(), 1);
  EXPECT_EQ(Scan(samples(12, 4)).piece(), 12);
}

std::vector<std::uint8_t> numbers(std::size_t n) {
  std::vector<std::uint8_t> all(n);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  return all;
}

TEST(Scan, ReadsAnyRangeAcrossRecords) {
  const auto file = numbers(3 * 24);
  for (const RecordConfig& record : {picture(4, 3, 2, 1), picture(4, 2, 3, 2), samples(24, 3), RecordConfig{24, {}}}) {
    const Scan scan(record);
    const auto all = scan.to_model("the file", file);
    for (std::size_t begin = 0; begin < file.size(); ++begin)
      for (std::size_t end = begin; end <= file.size(); ++end) {
        std::vector<std::uint8_t> out(end - begin);
        scan.read(static_cast<std::int64_t>(begin), out, [&](std::int64_t at, std::span<std::uint8_t> part) {
          ASSERT_LE(static_cast<std::size_t>(at) + part.size(), file.size());
          std::copy_n(file.begin() + at, part.size(), part.begin());
        });
        ASSERT_TRUE(std::equal(out.begin(), out.end(), all.begin() + static_cast<Index>(begin))) << begin << " " << end;
      }
  }
}

TEST(FileOrder, TurnsBackWhatComesInPiecesOfAnySize) {
  const auto file = numbers(5 * 24);
  for (const RecordConfig& record :
       {picture(4, 2, 3, 2), picture(2, 4, 3, 1), picture(2, 4, 3, 2), samples(24, 2), RecordConfig{24, {}}}) {
    const Scan scan(record);
    const auto model = scan.to_model("the file", file);
    for (const std::size_t size : {1, 7, 24, 50})
      for (std::size_t start = 0; start < 48; start += static_cast<std::size_t>(scan.piece())) {
        FileOrder<std::uint8_t> order(scan, static_cast<std::int64_t>(start));
        std::vector<std::uint8_t> back(file.begin(), file.begin() + static_cast<Index>(start));
        for (std::size_t at = start; at < model.size(); at += size) {
          const auto ready = order.add(std::span(model).subspan(at, std::min(size, model.size() - at)));
          back.insert(back.end(), ready.begin(), ready.end());
          EXPECT_EQ(back.size() + static_cast<std::size_t>(order.waiting()), std::min(at + size, model.size()));
        }
        EXPECT_EQ(back, file) << in_words(record) << ", " << size << " at once from " << start << " on";
      }
  }
}

TEST(Scan, ASequenceThatIsNotWholeIsRefused) {
  const Scan scan(picture(4, 4, 3, 2));
  EXPECT_ERROR(scan.to_model("the prompt", numbers(23)),
               "the prompt has 23 bytes, and must have a multiple of 24: the model reads records of 48 bytes in the order "
               "patch:4x4x3:2");
  EXPECT_EQ(scan.to_model("the prompt", numbers(24)).size(), 24u);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "page/position_bins.h"

#include <gtest/gtest.h>

#include "support/count.h"

namespace megalith::page {
namespace {

TEST(PositionBins, DoubleAndAddUp) {
  std::vector<float> bits(5000);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<float>(i % 7);
  PositionBins bins;
  // In pieces cut anywhere, of two files that come one after the other, and the second in another order.
  const std::span<const float> all = bits;
  for (std::size_t at = 0; at < 5000; at += 300)
    bins.add(static_cast<std::int64_t>(at), all.subspan(at, std::min<std::size_t>(300, 5000 - at)));
  bins.add(1000, all.subspan(1000, 2000));
  bins.add(0, all.first(1000));
  const std::vector<PositionBin> found = bins.bins();
  ASSERT_EQ(found.size(), 4u);
  const std::vector<std::int64_t> ends{1024, 2048, 4096, 5000}, bytes{2048, 2048, 2048 + 952, 904};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(found[i].from, i == 0 ? 0 : ends[i - 1]);
    EXPECT_EQ(found[i].to, ends[i]);
    EXPECT_EQ(found[i].bytes, bytes[i]);
    double sum = 0;
    for (std::int64_t at = found[i].from; at < found[i].to; ++at) sum += (at < 3000 ? 2 : 1) * static_cast<double>(at % 7);
    EXPECT_EQ(found[i].bits, sum);
  }
  EXPECT_EQ(position_name(found[0], false), "0 to 1 Ki");
  EXPECT_EQ(position_name(found[1], false), "1 Ki to 2 Ki");
  EXPECT_EQ(position_name(found[3], true), "4 Ki to the end");
  EXPECT_EQ(position_name({1 << 19, 1 << 20}, false), "512 Ki to 1 Mi");
  EXPECT_EQ(position_name({std::int64_t{1} << 30, std::int64_t{1} << 31}, false), "1 Gi to 2 Gi");
}

TEST(PositionBins, EmptyOnesAreLeftOut) {
  PositionBins bins;
  EXPECT_TRUE(bins.bins().empty());
  EXPECT_EQ(position_section(bins.bins()), "");
  const std::vector<float> bits{1, 2};
  bins.add(3000, bits);
  ASSERT_EQ(bins.bins().size(), 1u);
  EXPECT_EQ(bins.bins()[0].from, 2048);
  EXPECT_EQ(bins.bins()[0].to, 3002);
  EXPECT_EQ(bins.bins()[0].bits_per_byte(), 1.5);
  EXPECT_EQ(position_section(bins.bins()), "") << "one point makes no plot";
}

TEST(PositionBins, APointForEachInThePlot) {
  PositionBins bins;
  bins.add(0, std::vector<float>(3000, 2.5f));
  const Plot plot = position_plot(bins.bins(), 400, 300);
  ASSERT_EQ(plot.series[0].points.size(), 3u);
  EXPECT_GT(plot.series[0].points[1].x, 1024);
  EXPECT_LT(plot.series[0].points[1].x, 2048);
  EXPECT_EQ(plot.series[0].points[2].note, "2 Ki to the end: 2.500 bits per byte of 952 bytes");
  const std::string html = position_section(bins.bins());
  EXPECT_EQ(tests::count(html, "<svg"), 2u);
  EXPECT_EQ(tests::count(html, "id=\"position-wide-title\""), 1u);
  EXPECT_NE(html.find("by position in the file"), std::string::npos);
}

}  // namespace
}  // namespace megalith::page

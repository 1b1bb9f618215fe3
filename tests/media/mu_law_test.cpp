// SPDX-License-Identifier: Apache-2.0
#include "media/mu_law.h"

#include <gtest/gtest.h>

#include <vector>

namespace megalith::media {
namespace {

/// Where the 128 intervals of one sign begin, in samples of 14 bits: Table 2a of G.711 names the ends of its segments, each
/// of which has 16 intervals of one width, but for the first interval of all, which has half.
std::vector<int> beginnings() {
  std::vector<int> all{0};
  int begin = -1;
  for (const int end : {31, 95, 223, 479, 991, 2015, 4063, 8159}) {
    const int width = (end - begin) / 16;
    for (int i = all.size() == 1 ? 1 : 0; i < 16; ++i) all.push_back(begin + i * width);
    begin = end;
  }
  return all;
}

TEST(MuLaw, IntervalsAreThoseOfTheStandard) {
  const std::vector<int> all = beginnings();
  ASSERT_EQ(all.size(), 128u);
  int interval = 0;
  for (int sample = 0; sample <= 32767; ++sample) {
    while (interval < 127 && sample >= 4 * all[static_cast<std::size_t>(interval + 1)]) ++interval;
    ASSERT_EQ(to_mu_law(static_cast<std::int16_t>(sample)), 255 - interval) << sample;
    ASSERT_EQ(to_mu_law(static_cast<std::int16_t>(-sample)), sample == 0 ? 255 : 127 - interval) << -sample;
  }
  EXPECT_EQ(to_mu_law(-32768), 0);
}

TEST(MuLaw, ValuesAreTheMiddlesOfIntervals) {
  const std::vector<int> all = beginnings();
  EXPECT_EQ(from_mu_law(0xFF), 0);
  EXPECT_EQ(from_mu_law(0x7F), 0);
  for (std::size_t i = 1; i < 128; ++i) {
    const int end = i == 127 ? 8159 : all[i + 1];
    EXPECT_EQ(from_mu_law(static_cast<std::uint8_t>(255 - i)), 2 * (all[i] + end)) << i;
    EXPECT_EQ(from_mu_law(static_cast<std::uint8_t>(127 - i)), -2 * (all[i] + end)) << i;
  }
}

TEST(MuLaw, BytesComeBack) {
  for (int byte = 0; byte < 256; ++byte)  // 0x7F is 0 too
    EXPECT_EQ(to_mu_law(from_mu_law(static_cast<std::uint8_t>(byte))), byte == 0x7F ? 0xFF : byte);
}

}  // namespace
}  // namespace megalith::media

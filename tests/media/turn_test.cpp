// SPDX-License-Identifier: Apache-2.0
#include "media/turn.h"

#include <gtest/gtest.h>

#include "files.h"

namespace megalith::media {
namespace {

using tests::bytes_of, tests::exif, tests::text_of;

TEST(Exif, TheOrientationInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(exif_orientation(bytes_of(exif(orientation))), orientation);
    EXPECT_EQ(exif_orientation(bytes_of(exif(orientation, true))), orientation);
  }
}

TEST(Exif, WhatIsDamagedIsUpright) {
  const std::string whole = exif(6);
  for (std::size_t size = 0; size < whole.size() - 8; ++size)
    EXPECT_EQ(exif_orientation(bytes_of(whole.substr(0, size))), 1);
  for (const int strange : {0, 9, 65535}) EXPECT_EQ(exif_orientation(bytes_of(exif(strange))), 1);
  const auto with = [&](std::size_t at, char byte) {
    std::string damaged = whole;
    damaged[at] = byte;
    return exif_orientation(bytes_of(damaged));
  };
  EXPECT_EQ(with(2, 43), 1) << "no TIFF";
  EXPECT_EQ(with(7, 127), 1) << "tags beyond the end";
  EXPECT_EQ(with(8, 1), 1) << "only the first tag is one";
  EXPECT_EQ(with(24, 4), 1) << "another type";
  EXPECT_EQ(with(26, 2), 1) << "two of them";
}

/// The eight ways to hold the picture  ab  whose rows are ab, cd and ef.
///                                     cd
///                                     ef
TEST(Turned, AsTheStandardDrawsThem) {
  const std::string upright = "abcdef";
  const auto turn = [&](int orientation, std::int64_t width, const std::string& stored) {
    Picture picture{.width = width, .height = 6 / width, .channels = 1};
    picture.pixels.assign(stored.begin(), stored.end());
    const Picture out = turned(std::move(picture), orientation);
    EXPECT_EQ(out.width, 2) << orientation;
    EXPECT_EQ(out.height, 3) << orientation;
    return text_of(out.pixels);
  };
  EXPECT_EQ(turn(1, 2, "abcdef"), upright);
  EXPECT_EQ(turn(2, 2, "badcfe"), upright);  // the row 0 is the top, the column 0 the right side
  EXPECT_EQ(turn(3, 2, "fedcba"), upright);  // bottom, right
  EXPECT_EQ(turn(4, 2, "efcdab"), upright);  // bottom, left
  EXPECT_EQ(turn(5, 3, "acebdf"), upright);  // left, top
  EXPECT_EQ(turn(6, 3, "bdface"), upright);  // right, top
  EXPECT_EQ(turn(7, 3, "fdbeca"), upright);  // right, bottom
  EXPECT_EQ(turn(8, 3, "ecafdb"), upright);  // left, bottom
}

TEST(Turned, ChannelsStayTogether) {
  const Picture picture{.width = 2, .height = 1, .pixels = {'a', 'b', 'c', 'd', 'e', 'f'}};
  EXPECT_EQ(text_of(turned(picture, 2).pixels), "defabc");
}

}  // namespace
}  // namespace megalith::media

// SPDX-License-Identifier: Apache-2.0
#include "media/fit.h"

#include <gtest/gtest.h>

#include "files.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using tests::text_of;

Picture grey(std::int64_t width, const std::string& pixels) {
  Picture picture{.width = width, .height = std::ssize(pixels) / width, .channels = 1};
  picture.pixels.assign(pixels.begin(), pixels.end());
  return picture;
}

TEST(Reduced, PixelsAreRoundedMeans) {
  const Picture picture = grey(4, "\x01\x02\x0a\x14\x03\x03\x1e\x29");
  const Picture half = reduced(picture, 2);
  EXPECT_EQ(half.width, 2);
  EXPECT_EQ(half.height, 1);
  EXPECT_EQ(text_of(half.pixels), "\x02\x19");  // 9 / 4, 101 / 4
  EXPECT_EQ(reduced(picture, 1).pixels, picture.pixels);
  EXPECT_EQ(text_of(reduced(grey(2, "\xff\xff\xff\xff"), 2).pixels), "\xff");
  EXPECT_EQ(text_of(reduced(grey(2, std::string("\x00\x01\x00\x01", 4)), 2).pixels), "\x01") << "a half goes up";
}

TEST(Reduced, ChannelByChannelAndWithoutARest) {
  Picture picture{.width = 5, .height = 3};
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 5; ++x)
      for (int c = 0; c < 3; ++c) picture.pixels.push_back(static_cast<std::uint8_t>(100 * c + 10 * y + x));
  const Picture half = reduced(picture, 2);
  EXPECT_EQ(half.width, 2);
  EXPECT_EQ(half.height, 1);
  EXPECT_EQ(half.pixels, (std::vector<std::uint8_t>{6, 106, 206, 8, 108, 208}));  // 5.5 and 7.5 in the first channel
}

TEST(Fitted, Crop) {
  const std::vector<Picture> all = fitted(grey(4, "abcdefghijkl"), {2, 1}, Fit::crop);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].width, 2);
  EXPECT_EQ(all[0].height, 1);
  EXPECT_EQ(text_of(all[0].pixels), "fg");
}

TEST(Fitted, Tile) {
  const std::vector<Picture> all = fitted(grey(5, "abcdeABCDEfghijFGHIJ"), {2, 2}, Fit::tile);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(text_of(all[0].pixels), "abAB");
  EXPECT_EQ(text_of(all[1].pixels), "cdCD");
  EXPECT_EQ(text_of(all[2].pixels), "fgFG");
  EXPECT_EQ(text_of(all[3].pixels), "hiHI");
}

TEST(Fitted, Shrink) {
  // 7 x 5 holds 2 x 2 twice in height: reduced to 3 x 2, of which the middle begins at 0.
  Picture picture{.width = 7, .height = 5, .channels = 1};
  for (int i = 0; i < 35; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(4 * (i % 7) + 40 * (i / 7)));
  const std::vector<Picture> all = fitted(picture, {2, 2}, Fit::shrink);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].pixels, (std::vector<std::uint8_t>{22, 30, 102, 110}));
  EXPECT_EQ(fitted(picture, {7, 5}, Fit::shrink)[0].pixels, picture.pixels);
}

TEST(Fitted, NothingIsMadeLarger) {
  for (const Fit fit : {Fit::crop, Fit::tile, Fit::shrink}) {
    EXPECT_ERROR(fitted(grey(2, "abcd"), {3, 1}, fit), "a picture of 2 x 2 pixels, too small for 3 x 1");
    EXPECT_ERROR(fitted(grey(2, "abcd"), {1, 3}, fit), "too small for 1 x 3");
  }
}

TEST(Fitted, WhatIsKnownOfAPictureStaysWithItsParts) {
  Picture picture = grey(4, "abcdefgh");
  picture.had_alpha = picture.had_16_bits = true;
  for (const Fit fit : {Fit::crop, Fit::tile, Fit::shrink})
    for (const Picture& part : fitted(picture, {1, 1}, fit)) EXPECT_TRUE(part.had_alpha && part.had_16_bits);
}

TEST(Channels, GreyIsLuma) {
  const Picture picture{.width = 5, .height = 1, .pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 7, 7, 7}};
  const Picture one = as_grey(picture);
  EXPECT_EQ(one.channels, 1);
  EXPECT_EQ(one.pixels, (std::vector<std::uint8_t>{76, 150, 29, 255, 7}));
  EXPECT_EQ(as_grey(one).pixels, one.pixels);
}

TEST(Channels, RgbOfGrey) {
  const Picture three = as_rgb(grey(2, "ab"));
  EXPECT_EQ(three.channels, 3);
  EXPECT_EQ(text_of(three.pixels), "aaabbb");
  EXPECT_EQ(as_rgb(three).pixels, three.pixels);
  EXPECT_EQ(text_of(as_grey(three).pixels), "ab");
}

}  // namespace
}  // namespace megalith::media

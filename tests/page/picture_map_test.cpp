// SPDX-License-Identifier: Apache-2.0
// Pictures beside their surprisal.
#include "page/picture_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "media/files.h"
#include "support/base64.h"
#include "support/count.h"

namespace megalith::page {
namespace {

using tests::bytes_of, tests::count, tests::embedded;

/// L* of CIE 1976 of a colour of sRGB: 0 is black and 100 white.
double lightness(const std::array<std::uint8_t, 3>& colour) {
  constexpr std::array<double, 3> kWeights{0.2126, 0.7152, 0.0722};
  double y = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const double v = colour[c] / 255.0;
    y += kWeights[c] * (v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

std::array<std::uint8_t, 3> pixel(const media::Picture& picture, std::size_t at) {
  return {picture.pixels[3 * at], picture.pixels[3 * at + 1], picture.pixels[3 * at + 2]};
}

TEST(HeatColour, IsTheLighterTheMoreSurprisingInEvenSteps) {
  for (int step = 0; step < 32; ++step) {
    const double rise = lightness(heat_colour((step + 1) / 4.0)) - lightness(heat_colour(step / 4.0));
    EXPECT_GT(rise, 1.5) << step;
    EXPECT_LT(rise, 4.5) << step;
  }
  EXPECT_EQ(heat_colour(-0.0), heat_colour(0));
  const std::array<std::uint8_t, 3> most{0xFC, 0xFD, 0xBF};
  for (const double bits : {8.0, 20.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_EQ(heat_colour(bits), most) << bits;
}

TEST(PictureMap, ShowsPicturesBesideTheirSurprisal) {
  PictureMap map({2, 1, 3}, 17);  // two pictures, and no part of a third
  const std::string bytes = "abcdefABCDEFxyzxyz";
  std::vector<float> bits(18, 8);
  const std::vector<float> first{1, 2, 3, 6, 6, 6, 0, 0, 0, 4.5f, 0, 0};
  std::copy(first.begin(), first.end(), bits.begin());
  map.add("f<1>", 0, bytes_of(bytes).first(4), std::span(bits).first(4));  // pieces end where they will
  EXPECT_FALSE(map.full());
  map.add("f<1>", 4, bytes_of(bytes).subspan(4), std::span(bits).subspan(4));
  EXPECT_TRUE(map.full());
  map.add("more", 0, bytes_of(bytes), bits);
  const std::string page = map.html("a run", 18, 2.5);

  const std::vector<std::string> images = embedded(page, "image/bmp");
  ASSERT_EQ(images.size(), 5u) << "the legend and two pairs";
  const auto picture = [&](std::size_t i) { return media::read_bmp(bytes_of(images[i])); };
  EXPECT_EQ(pixel(picture(0), 0), heat_colour(0));
  EXPECT_EQ(pixel(picture(0), 255), heat_colour(8));
  EXPECT_EQ(tests::text_of(picture(1).pixels), "abcdef");
  EXPECT_EQ(tests::text_of(picture(3).pixels), "ABCDEF");
  for (const std::size_t heat : {2u, 4u}) {
    EXPECT_EQ(picture(heat).width, 2);
    EXPECT_EQ(picture(heat).height, 1);
  }
  EXPECT_EQ(pixel(picture(2), 0), heat_colour(2));
  EXPECT_EQ(pixel(picture(2), 1), heat_colour(6));
  EXPECT_EQ(pixel(picture(4), 0), heat_colour(0));
  EXPECT_EQ(pixel(picture(4), 1), heat_colour(1.5));
  for (const char* part :
       {"a run: 2.500 bits per byte over 18 bytes, of which the first 2 pictures of 2 × 1 pixels are shown",
        "<h2>f&lt;1&gt;</h2>", "Picture 1: 4.000 bits per byte", "Picture 2: 0.750 bits per byte"})
    EXPECT_EQ(count(page, part), 1u) << part << "\n" << page;
  EXPECT_EQ(count(page, "more</h2>"), 0u);
  EXPECT_EQ(count(page, "<figure>"), count(page, "</figure>"));
}

TEST(PictureMap, GreyAndLargeOnes) {
  PictureMap map({3, 2, 1}, 1);  // one is shown, however large it is
  map.add("empty", 0, {}, {});
  map.add("f", 0, bytes_of("abcdef"), std::vector<float>{0, 1, 2, 3, 4, 5});
  EXPECT_TRUE(map.full());
  const std::string page = map.html("run", 6, 2.5);
  const std::vector<std::string> images = embedded(page, "image/bmp");
  ASSERT_EQ(images.size(), 3u);
  const media::Picture grey = media::read_bmp(bytes_of(images[1])), heat = media::read_bmp(bytes_of(images[2]));
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(tests::text_of(grey.pixels), "abcdef");
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(pixel(heat, i), heat_colour(static_cast<double>(i))) << i;
  EXPECT_EQ(count(page, "of which the first"), 0u) << "all is shown";
  EXPECT_EQ(count(page, "<h2>"), 1u) << "files without a picture have no heading";
}

/// What a byte of pictures takes is bounded.
TEST(PictureMap, PagesStaySmall) {
  PictureMap map({32, 32, 3}, 30'720);
  map.add("f", 0, std::vector<std::uint8_t>(30'720, 9), std::vector<float>(30'720, 3.f));
  EXPECT_LT(static_cast<double>(map.html("run", 30'720, 3).size()) / 30'720, 3.2);
}

}  // namespace
}  // namespace megalith::page

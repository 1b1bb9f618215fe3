// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "files.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::bytes_of, tests::text_of;

Picture read(const std::string& file) { return read_ppm(bytes_of(file)); }
std::string pixels(const std::string& file) { return text_of(read(file).pixels); }

TEST(Ppm, Colours) {
  const Picture picture = read("P6\n2 1\n255\nabcdef");
  EXPECT_EQ(picture.width, 2);
  EXPECT_EQ(picture.height, 1);
  EXPECT_EQ(picture.channels, 3);
  EXPECT_FALSE(picture.had_16_bits);
  EXPECT_EQ(text_of(picture.pixels), "abcdef");
}

TEST(Ppm, Greys) {
  const Picture picture = read("P5\n3 2\n255\nabcdef");
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.channels, 1);
  EXPECT_EQ(text_of(picture.pixels), "abcdef");
}

TEST(Ppm, AHeaderMayHaveLinesOfWindows) {
  EXPECT_EQ(pixels("P5\r\n2 1\r\n255\r\nab"), "ab");
  EXPECT_EQ(pixels("P5\n2 1\n255\n\nab"), "\na") << "one blank ends a header";
}

TEST(Ppm, AHeaderHasCommentsAndAnyWhiteSpace) {
  EXPECT_EQ(pixels("P5 # a comment\r\n#another\n\t2#\n 1 255\nab"), "ab");
  EXPECT_EQ(pixels("P5 1 2 255# one more\nab"), "ab");
  EXPECT_EQ(pixels("P5 1 1 255 \n"), "\n") << "the second white space is a pixel";
  EXPECT_EQ(pixels("P5 1 1 255\n#"), "#") << "no comment is in the pixels";
}

TEST(Ppm, OtherWhitesThan255) {
  EXPECT_EQ(pixels("P5 4 1 3 \0\1\2\3"s), "\x00\x55\xaa\xff"s);
  EXPECT_EQ(pixels("P5 2 1 1000 \x01\xf4\x03\xe8"s), "\x80\xff");
  const Picture picture = read("P5 3 1 65535 \x12\xff\x00\xff\xff\xff"s);
  EXPECT_EQ(text_of(picture.pixels), "\x12\x00\xff"s) << "high bytes";
  EXPECT_TRUE(picture.had_16_bits);
  EXPECT_ERROR(read("P5 1 1 100 \x65"), "a sample of 101, above the 100");
  EXPECT_ERROR(read("P5 1 1 0 a"), "calls 0 white");
  EXPECT_ERROR(read("P5 1 1 65536 aa"), "calls 65536 white");
}

TEST(Ppm, HostileFiles) {
  EXPECT_ERROR(read("P6\n100000 100000\n255\nabc"),
               "claims to be a picture of 100000 x 100000 pixels, and 268435456 are the most");
  EXPECT_ERROR(read("P6\n10000 10000\n255\nabc"),
               "10000 x 10000 pixels, which need at least 300000000 bytes, and holds 3: it is damaged or cut short");
  EXPECT_ERROR(read("P6 2 1 255 abcde"), "at least 6 bytes, and holds 5");
  EXPECT_ERROR(read("P6 0 1 255 "), "0 x 1");
  EXPECT_ERROR(read("P6 -1 1 255 "), "a number is missing");
  EXPECT_ERROR(read("P6 1 x 255 "), "a number is missing");
  EXPECT_ERROR(read("P6 1 1 255"), "ends inside its header");
  EXPECT_ERROR(read("P6 1 # no end"), "ends inside its header");
  EXPECT_ERROR(read("P6 99999999999999999999 1 255 "), "too long");
  EXPECT_ERROR(read("P6"), "ends inside its header");
  EXPECT_ERROR(read_ppm(bytes_of("P5 3 3 255 abcdefghi"), 8), "8 are the most");
}

TEST(Ppm, SeveralPicturesInAFileAreNoneLost) {
  EXPECT_ERROR(read("P5 1 1 255 aP5 1 1 255 b"), "several pictures");
  EXPECT_EQ(pixels("P5 1 1 255 a\n"), "a");
}

TEST(Ppm, WhatIsWrittenComesBack) {
  for (const int channels : {1, 3}) {
    Picture picture{.width = 5, .height = 4, .channels = channels};
    for (int i = 0; i < 20 * channels; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 37));
    const std::vector<std::uint8_t> file = to_ppm(picture);
    EXPECT_EQ(text_of(file).substr(0, 11), channels == 1 ? "P5\n5 4\n255\n" : "P6\n5 4\n255\n");
    const Picture again = read_ppm(file);
    EXPECT_EQ(again.width, 5);
    EXPECT_EQ(again.height, 4);
    EXPECT_EQ(again.channels, channels);
    EXPECT_EQ(again.pixels, picture.pixels);
  }
}

}  // namespace
}  // namespace megalith::media

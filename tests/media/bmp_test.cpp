// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "files.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::BmpFile, tests::bytes_of, tests::low_first, tests::text_of;

Picture read(const std::string& file) { return read_bmp(bytes_of(file)); }
std::string pixels(const BmpFile& file) { return text_of(read(file.whole()).pixels); }
std::string masks(std::initializer_list<std::uint32_t> all) {
  std::string out;
  for (const std::uint32_t mask : all) out += low_first(mask, 4);
  return out;
}

TEST(Bmp, RowsGoUpAndColoursAreTurnedRound) {
  const BmpFile file{.width = 3, .height = 2, .rows = "cbafedihg\0\0\0CBAFEDIHG\0\0\0"s};
  const Picture picture = read(file.whole());
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.channels, 3);
  EXPECT_EQ(text_of(picture.pixels), "ABCDEFGHIabcdefghi");
  EXPECT_EQ(pixels({.width = 1, .height = -2, .rows = "cba\0CBA\0"s}), "abcABC") << "a negative height: from the top";
}

TEST(Bmp, Palettes) {
  const std::string colours = "cba\0fed\0ihg\0"s;
  EXPECT_EQ(pixels({.width = 9, .bits = 1, .behind = colours.substr(0, 8), .rows = "\xa0\x80\0\0"s}),
            "defabcdefabcabcabcabcabcdef");
  EXPECT_EQ(pixels({.width = 3, .bits = 4, .colours = 3, .behind = colours, .rows = "\x21\0\0\0"s}), "ghidefabc");
  EXPECT_EQ(pixels({.width = 3, .bits = 8, .colours = 3, .behind = colours, .rows = "\1\2\0\0"s}), "defghiabc");
  EXPECT_ERROR(pixels({.width = 1, .bits = 8, .colours = 3, .behind = colours, .rows = "\3\0\0\0"s}),
               "a pixel without a colour");
  EXPECT_ERROR(pixels({.width = 1, .bits = 4, .colours = 17, .behind = colours, .rows = "\3\0\0\0"s}),
               "a palette of 17 colours for pixels of 4 bits");
  EXPECT_ERROR(read(BmpFile{.bits = 8, .colours = 200}.whole()), "ends inside its header");
}

TEST(Bmp, OldHeaders) {
  const std::string header = low_first(12, 4) + low_first(2, 2) + low_first(1, 2) + low_first(1, 2) + low_first(1, 2);
  EXPECT_EQ(text_of(read("BM" + low_first(0, 8) + low_first(32, 4) + header + "cbafed" + "\x40\0\0\0"s).pixels), "abcdef");
}

TEST(Bmp, PixelsOf16And32Bits) {
  EXPECT_EQ(pixels({.width = 2, .bits = 16, .rows = low_first(31 << 10 | 1 << 5, 2) + low_first(31, 2)}),
            "\xff\x08\x00\x00\x00\xff"s);
  EXPECT_EQ(pixels({.bits = 32, .rows = "cbaX"}), "abc");
  const BmpFile masked{.width = 2,
                       .bits = 16,
                       .compression = 3,
                       .behind = masks({0xF800, 0x07E0, 0x001F}),
                       .rows = low_first(63 << 5, 2) + low_first(31 << 11 | 16, 2)};
  EXPECT_EQ(pixels(masked), "\x00\xff\x00\xff\x00\x84"s);
  const BmpFile ten_bits{
      .bits = 32, .compression = 3, .more = masks({0x3FF, 0xFFC00, 0x3FF00000}), .rows = low_first(512 | 1023 << 10, 4)};
  EXPECT_EQ(pixels(ten_bits), "\x80\xff\x00"s);
  EXPECT_FALSE(read(ten_bits.whole()).had_alpha);
}

TEST(Bmp, AlphaIsToldOf) {
  const std::string all = masks({0xFF, 0xFF00, 0xFF0000, 0xFF000000});
  const Picture inside = read(BmpFile{.bits = 32, .compression = 3, .more = all, .rows = "abcd"}.whole());
  EXPECT_EQ(text_of(inside.pixels), "abc");
  EXPECT_TRUE(inside.had_alpha);
  const Picture behind = read(BmpFile{.bits = 32, .compression = 6, .behind = all, .rows = "abcd"}.whole());
  EXPECT_EQ(text_of(behind.pixels), "abc");
  EXPECT_TRUE(behind.had_alpha);
  EXPECT_FALSE(read(BmpFile{.bits = 32, .rows = "abcd"}.whole()).had_alpha);
}

TEST(Bmp, HostileFiles) {
  EXPECT_ERROR(read(BmpFile{.width = 100000, .height = 100000}.whole()), "100000 x 100000");
  EXPECT_ERROR(read(BmpFile{.width = 10000, .height = 10000, .rows = "abc"}.whole()),
               "which need at least 300000054 bytes, and holds 57");
  EXPECT_ERROR(read(BmpFile{.width = 0}.whole()), "0 x 1");
  EXPECT_ERROR(read(BmpFile{.width = -1}.whole()), "-1 x 1");
  EXPECT_ERROR(read(BmpFile{.height = INT32_MIN}.whole()), "1 x 2147483648");
  EXPECT_ERROR(read(BmpFile{.bits = 5}.whole()), "pixels of 5 bits");
  EXPECT_ERROR(read(BmpFile{.bits = 24, .compression = 3, .behind = masks({1, 2, 4})}.whole()),
               "masks of colours for pixels of 24 bits");
  for (const std::uint32_t compression : {1u, 2u, 4u, 5u, 99u})
    EXPECT_ERROR(read(BmpFile{.bits = 8, .compression = compression}.whole()),
                 "a compressed BMP, which is not read; convert");
  const auto masked = [](std::initializer_list<std::uint32_t> all) {
    return BmpFile{.bits = 32, .compression = 3, .behind = masks(all), .rows = "abcd"}.whole();
  };
  EXPECT_ERROR(read(masked({0, 1, 2})), "masks of colours");
  EXPECT_ERROR(read(masked({5, 8, 16})), "masks of colours");
  EXPECT_EQ(read(masked({0xFFFFFFFF, 1, 2})).pixels.size(), 3u);

  std::string file = BmpFile{.rows = "abc\0"s}.whole();
  file[10] = 53;
  EXPECT_ERROR(read(file), "pixels that begin inside its header");
  file[14] = 39;
  EXPECT_ERROR(read(file), "a header of 39 bytes");
  for (std::size_t size = 0; size < file.size() - 4; ++size) EXPECT_THROW(read(file.substr(0, size)), Error) << size;
}

TEST(Bmp, WhatIsWrittenComesBack) {
  for (const int channels : {1, 3}) {
    for (std::int64_t width = 1; width <= 5; ++width) {
      Picture picture{.width = width, .height = 3, .channels = channels};
      for (int i = 0; i < 3 * picture.row_bytes(); ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 37));
      const std::vector<std::uint8_t> file = to_bmp(picture);
      EXPECT_EQ(low_first(file.size(), 4), text_of(file).substr(2, 4));
      const Picture again = read_bmp(file);
      EXPECT_EQ(again.width, width);
      EXPECT_EQ(again.height, 3);
      EXPECT_EQ(again.channels, channels);
      EXPECT_EQ(again.pixels, picture.pixels);
    }
  }
  EXPECT_ERROR(to_bmp({.width = 40000, .height = 40000}), "larger than the 4 GB");
}

}  // namespace
}  // namespace megalith::media

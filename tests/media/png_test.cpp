// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "files.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::bytes_of, tests::exif, tests::high_first, tests::png_chunk, tests::PngFile, tests::text_of;

Picture read(const std::string& file) { return read_png(bytes_of(file)); }
Picture read(const PngFile& file) { return read(file.whole()); }
std::string pixels(const PngFile& file) { return text_of(read(file).pixels); }

TEST(Png, Colours) {
  const Picture picture = read({.width = 2, .height = 2, .rows = {"abcdef", "ABCDEF"}});
  EXPECT_EQ(picture.width, 2);
  EXPECT_EQ(picture.height, 2);
  EXPECT_EQ(picture.channels, 3);
  EXPECT_FALSE(picture.had_alpha || picture.had_16_bits);
  EXPECT_EQ(text_of(picture.pixels), "abcdefABCDEF");
}

TEST(Png, Greys) {
  const Picture picture = read({.width = 3, .colour = tests::kPngGrey, .rows = {"abc"}});
  EXPECT_EQ(picture.channels, 1);
  EXPECT_EQ(text_of(picture.pixels), "abc");
  EXPECT_EQ(pixels({.width = 3, .depth = 1, .colour = tests::kPngGrey, .rows = {"\xa0"}}), "\xff\x00\xff"s);
  EXPECT_EQ(pixels({.width = 4, .depth = 2, .colour = tests::kPngGrey, .rows = {"\x1b"}}), "\x00\x55\xaa\xff"s);
  EXPECT_EQ(pixels({.width = 2, .depth = 4, .colour = tests::kPngGrey, .rows = {"\x1f"}}), "\x11\xff");
}

TEST(Png, Palettes) {
  const std::string colours = png_chunk("PLTE", "abcdefghi");
  EXPECT_EQ(pixels({.width = 3, .colour = tests::kPngPalette, .rows = {"\2\1\0"s}, .chunks = colours}), "ghidefabc");
  EXPECT_EQ(pixels({.width = 3, .depth = 2, .colour = tests::kPngPalette, .rows = {"\x90"}, .chunks = colours}),
            "ghidefabc");
  const Picture faint =
      read({.width = 2, .colour = tests::kPngPalette, .rows = {"\1\0"s}, .chunks = colours + png_chunk("tRNS", "\0"s)});
  EXPECT_TRUE(faint.had_alpha);
  EXPECT_EQ(text_of(faint.pixels), "defabc");
}

TEST(Png, AlphaIsLeftOut) {
  const Picture rgba = read({.width = 2, .colour = tests::kPngRgba, .rows = {"abc\0def\x80"s}});
  EXPECT_TRUE(rgba.had_alpha);
  EXPECT_EQ(text_of(rgba.pixels), "abcdef") << "the colours as they are, not on a ground";
  const Picture grey = read({.width = 2, .colour = tests::kPngGreyAlpha, .rows = {"a\0b\1"s}});
  EXPECT_TRUE(grey.had_alpha);
  EXPECT_EQ(text_of(grey.pixels), "ab");
  EXPECT_TRUE(read({.rows = {"abc"}, .chunks = png_chunk("tRNS", "\0a\0b\0c"s)}).had_alpha);
}

TEST(Png, HighBytesOf16Bits) {
  const Picture picture =
      read({.width = 2, .depth = 16, .rows = {"a\xff"s + "b\x01" + "c\x80" + "d\xff" + "e\x01" + "f\x80"}});
  EXPECT_TRUE(picture.had_16_bits);
  EXPECT_EQ(text_of(picture.pixels), "abcdef");
  EXPECT_EQ(pixels({.width = 1, .depth = 16, .colour = tests::kPngGreyAlpha, .rows = {"a\xff\x01\x02"}}), "a");
}

TEST(Png, NoGammaAndNoProfileIsApplied) {
  const std::string gamma = png_chunk("gAMA", high_first(100000, 4)) + png_chunk("sBIT", "\5\5\5");
  EXPECT_EQ(pixels({.rows = {"abc"}, .chunks = gamma}), "abc");
  EXPECT_EQ(pixels({.rows = {"abc"}, .chunks = png_chunk("iCCP", "x\0\0no profile"s)}), "abc");
}

TEST(Png, Interlaced) {
  // 3 x 3: passes 1, 5 (the first row below it does not fit), 6 and 7 of Adam7; pass 4 has the pixel at (2, 0).
  const PngFile file{
      .width = 3, .height = 3, .colour = tests::kPngGrey, .rows = {"a", "c", "gi", "b", "h", "def"}, .interlaced = true};
  EXPECT_EQ(pixels(file), "abcdefghi");
}

TEST(Png, IsTurnedAsExifSays) {
  const PngFile file{.width = 3, .height = 2, .colour = tests::kPngGrey, .rows = {"bdf", "ace"}};
  PngFile turned = file;
  turned.chunks = png_chunk("eXIf", exif(6, true));
  EXPECT_EQ(pixels(turned), "abcdef");
  EXPECT_EQ(read(turned).width, 2);
  turned.chunks = png_chunk("eXIf", exif(6).substr(0, 12));
  EXPECT_EQ(pixels(turned), "bdface");
  const std::string whole = file.whole(), end = png_chunk("IEND", "");
  const std::string behind = whole.substr(0, whole.size() - end.size()) + png_chunk("eXIf", exif(6)) + end;
  EXPECT_EQ(text_of(read(behind).pixels), "abcdef") << "what stands behind the pixels counts too";
}

TEST(Png, HostileFiles) {
  EXPECT_ERROR(read(PngFile{.width = 100000, .height = 100000, .rows = {"abc"}}), "100000 x 100000 pixels, and 268435456");
  EXPECT_ERROR(read(PngFile{.width = 10000, .height = 10000, .rows = {"abc"}}), "10000 x 10000 pixels, which need at least");
  EXPECT_ERROR(read(PngFile{.width = 0, .rows = {""}}), "cannot read: Invalid IHDR");
  EXPECT_ERROR(read(PngFile{.depth = 5, .rows = {"a"}}), "cannot read");
  EXPECT_ERROR(read(PngFile{.width = 2, .height = 3, .rows = {"abcdef"}}), "cannot read");
  EXPECT_ERROR(read(PngFile{.colour = tests::kPngPalette, .rows = {"a"}}), "cannot read");
  EXPECT_ERROR(read_png(bytes_of(PngFile{.width = 3, .rows = {"abcdefghi"}}.whole()), 2), "2 are the most");

  const std::string whole = PngFile{.width = 2, .height = 2, .rows = {"abcdef", "ABCDEF"}}.whole();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_THROW(read(whole.substr(0, size)), Error) << size;
  const auto changed = [&](std::size_t at) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    return damaged;
  };
  EXPECT_ERROR(read(changed(whole.find("abcdef"))), "incorrect data check");
  EXPECT_ERROR(read(changed(whole.size() - png_chunk("IEND", "").size() - 1)), "CRC error");
}

TEST(Png, ExifDataThatClaimMoreThanThereIs) {
  const std::string file = PngFile{.rows = {"abc"}, .chunks = high_first(0x41000020, 4) + "eXIf"}.whole();
  EXPECT_ERROR(read(file), "cannot read");
}

TEST(Png, TextsOfAnySizeAreSkipped) {
  std::string file = PngFile{.rows = {"abc"}, .chunks = png_chunk("tEXt", std::string(1 << 22, 'x'))}.whole();
  EXPECT_EQ(text_of(read(file).pixels), "abc");
}

}  // namespace
}  // namespace megalith::media

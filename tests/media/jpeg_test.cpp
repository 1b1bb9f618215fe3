// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "files.h"
#include "jpeg_file.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using tests::bytes_of, tests::exif, tests::JpegFile, tests::text_of;

Picture read(const std::string& file) { return read_jpeg(bytes_of(file)); }

/// A picture that is brighter to the right and redder below.
std::string slopes(int width, int height) {
  std::string all;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      all += static_cast<char>(40 + 3 * x + 4 * y);
      all += static_cast<char>(40 + 3 * x);
      all += static_cast<char>(60 + 3 * x);
    }
  return all;
}

int distance(const std::string& a, const std::string& b) {
  int most = a.size() == b.size() ? 0 : 256;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(static_cast<unsigned char>(a[i]) - static_cast<unsigned char>(b[i])));
  return most;
}

TEST(Jpeg, Colours) {
  for (const bool progressive : {false, true}) {
    const Picture picture =
        read(JpegFile{.width = 21, .height = 13, .pixels = slopes(21, 13), .progressive = progressive}.whole());
    EXPECT_EQ(picture.width, 21);
    EXPECT_EQ(picture.height, 13);
    EXPECT_EQ(picture.channels, 3);
    EXPECT_LE(distance(text_of(picture.pixels), slopes(21, 13)), 4);
  }
}

TEST(Jpeg, Greys) {
  const Picture picture = read(JpegFile{.width = 9, .components = 1, .pixels = std::string(72, 'a')}.whole());
  EXPECT_EQ(picture.channels, 1);
  EXPECT_EQ(text_of(picture.pixels), std::string(72, 'a'));
}

TEST(Jpeg, IsTurnedAsExifSays) {
  const Picture upright = read(JpegFile{.width = 16, .height = 8, .pixels = slopes(16, 8)}.whole());
  const Picture turned = read(JpegFile{.width = 16, .height = 8, .pixels = slopes(16, 8), .exif = exif(6, true)}.whole());
  EXPECT_EQ(turned.width, 8);
  EXPECT_EQ(turned.height, 16);
  for (std::size_t y = 0; y < 16; ++y)
    for (std::size_t x = 0; x < 8; ++x)
      EXPECT_EQ(turned.pixels[3 * (8 * y + x)], upright.pixels[3 * (16 * (7 - x) + y)]) << x << " " << y;
  EXPECT_EQ(read(JpegFile{.pixels = slopes(8, 8), .exif = "II"}.whole()).width, 8);
}

TEST(Jpeg, InksAreRefused) {
  EXPECT_ERROR(read(JpegFile{.components = 4, .pixels = std::string(256, 'a')}.whole()), "for print (CMYK)");
}

TEST(Jpeg, HostileFiles) {
  const std::string whole = JpegFile{.width = 24, .height = 16, .pixels = slopes(24, 16)}.whole();
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_ERROR(read(whole.substr(0, size)), "is a JPEG that is damaged or not read: ") << size;

  const std::size_t frame = whole.find("\xff\xc0");  // its length, the precision, height and width
  const auto with = [&](std::size_t at, const std::string& bytes) {
    return std::string(whole).replace(at, bytes.size(), bytes);
  };
  EXPECT_ERROR(read(with(frame + 5, "\xff\x01\xff\x02")), "65282 x 65281");
  EXPECT_ERROR(read(with(frame + 5, "\x27\x10\x27\x10")), "10000 x 10000 pixels, which need at least");
  EXPECT_ERROR(read(with(frame + 4, "\x0c")), "precision 12");
  EXPECT_ERROR(read(with(frame + 5, std::string(2, '\0'))), "damaged or not read");
  EXPECT_ERROR(read_jpeg(bytes_of(whole), 100), "100 are the most");

  EXPECT_ERROR(read(JpegFile{.components = 1, .pixels = std::string(64, 'a'), .many_scans = true}.whole()),
               "more than 200 scans");
}

}  // namespace
}  // namespace megalith::media

// SPDX-License-Identifier: Apache-2.0
#include "media/formats.h"

#include <gtest/gtest.h>

#include "files.h"
#include "media/sound.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::bytes_of;

std::string name(const std::string& start) {
  const Format* const format = format_of(bytes_of(start).first(std::min(start.size(), kFormatBytes)));
  return format == nullptr ? "" : std::string(format->name);
}

TEST(Formats, WhatIsRead) {
  const Picture picture{.width = 1, .height = 1, .pixels = {1, 2, 3}},
      grey{.width = 1, .height = 1, .channels = 1, .pixels = {1}};
  const auto read = [](const std::string& file) {
    const Format* const format = format_of(bytes_of(file));
    return format != nullptr && format->is_read && format->command.empty();
  };
  EXPECT_TRUE(read(tests::text_of(to_ppm(picture))));
  EXPECT_TRUE(read(tests::text_of(to_ppm(grey))));
  EXPECT_TRUE(read(tests::text_of(to_bmp(picture))));
  EXPECT_TRUE(read(tests::text_of(to_bmp(grey))));
  EXPECT_TRUE(read(tests::PngFile{.rows = {"abc"}}.whole()));
  EXPECT_TRUE(read(tests::text_of(to_wav({kS16, 8000, 1}, bytes_of("abcd")))));
  EXPECT_TRUE(read("\xff\xd8\xff\xe0"));
  EXPECT_EQ(name("RIFX????WAVE"), "WAV");
}

TEST(Formats, WhatIsNamed) {
  EXPECT_EQ(name("GIF89a"), "GIF");
  EXPECT_EQ(name("RIFF\1\2\3\4WEBPVP8 "), "WebP");
  EXPECT_EQ(name("\0\0\0\x18"
                 "ftypheic\0\0"s),
            "HEIF");
  EXPECT_EQ(name("\0\0\0\x18"
                 "ftypM4A \0\0"s),
            "M4A");
  EXPECT_EQ(name("\0\0\0\x18"
                 "ftypisom\0\0"s),
            "MP4");
  EXPECT_EQ(name("FORM\0\0\0\x08"
                 "AIFFCOMM"s),
            "AIFF");
  EXPECT_EQ(name("fLaC\0"s), "FLAC");
  EXPECT_EQ(name(".snd\0\0"s), "AU");
  EXPECT_EQ(name("OggS"), "Ogg");
  EXPECT_EQ(name("ID3\4"), "MP3");
  EXPECT_EQ(name("\xff\xfb\x90\x64"), "MP3");
  EXPECT_EQ(name("PK\3\4"), "zip");
  EXPECT_EQ(name("\x1f\x8b\x08"), "gzip");
  EXPECT_EQ(name("II*\0"s), "TIFF");
  for (const char* start : {"GIF8", "fLaC", "PK\3\4", "P3\n"}) {
    const Format& format = *format_of(bytes_of(start));
    EXPECT_FALSE(format.is_read);
    EXPECT_NE(format.command, "") << "what helps is said";
  }
}

TEST(Formats, OtherBytesAreNone) {
  for (const char* start :
       {"", "B", "BM", "BMW is a maker of cars.", "RIFF", "RIFF1234AVI ", "P6", "P6x", "P1 2", "ID", "text\n"})
    EXPECT_EQ(name(start), "") << start;
  EXPECT_FALSE(format_of(bytes_of("\xff\xfb\xff\x7f"))->is_compressed) << "mu-law may begin so";
}

TEST(Formats, APictureIsReadByWhatItIs) {
  EXPECT_EQ(read_picture(bytes_of("P5 1 1 255 a")).channels, 1);
  EXPECT_ERROR(read_picture(bytes_of("P5 2 2 255 abcd"), 3), "3 are the most");
  EXPECT_ERROR(read_picture(bytes_of("GIF89a")), "not a picture of a format that is read");
  EXPECT_ERROR(read_picture(bytes_of("")), "not a picture");
  EXPECT_ERROR(read_picture(bytes_of("RIFF1234WAVE")), "not a picture");
}

}  // namespace
}  // namespace megalith::media

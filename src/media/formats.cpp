// SPDX-License-Identifier: Apache-2.0
#include "formats.h"

#include <algorithm>
#include <array>

namespace megalith::media {
namespace {

using namespace std::string_view_literals;

struct Start {
  std::string_view bytes;  // ? stands for any
  Format format;
};

consteval Format picture(std::string_view name, bool compressed, Picture (*read)(Bytes, std::int64_t)) {
  return {name, Contents::picture, true, compressed, "", read};
}
consteval Format other_picture(std::string_view name, bool compressed, std::string_view command) {
  return {name, Contents::picture, false, compressed, command};
}
consteval Format other_sound(std::string_view name, bool compressed, std::string_view command) {
  return {name, Contents::sound, false, compressed, command};
}
consteval Format archive(std::string_view name, std::string_view command) {
  return {name, Contents::other, false, true, command};
}

constexpr Format kPpm = picture("PPM", false, read_ppm), kPgm = picture("PGM", false, read_ppm),
                 kBmp = picture("BMP", false, read_bmp), kPng = picture("PNG", true, read_png),
                 kJpeg = picture("JPEG", true, read_jpeg), kWav{"WAV", Contents::sound, true, false, ""};
constexpr Format kPlain = other_picture("PPM in digits", false, "convert IN.ppm OUT.png");
constexpr Format kHeif = other_picture("HEIF", true, "heif-convert IN.heic OUT.png");
constexpr Format kAvif = other_picture("AVIF", true, "avifdec IN.avif OUT.png");
constexpr Format kTiff = other_picture("TIFF", false, "convert IN.tiff OUT.png");
constexpr Format kJpegXl = other_picture("JPEG XL", true, "djxl IN.jxl OUT.png");
constexpr Format kMp3 = other_sound("MP3", true, "ffmpeg -i IN.mp3 OUT.wav");
/// Mu-law may begin so too: nobody is warned of it.
constexpr Format kLikelyMp3 = other_sound("MP3", false, "ffmpeg -i IN.mp3 OUT.wav");
constexpr Format kMp4 = other_sound("MP4", true, "ffmpeg -i IN.mp4 OUT.wav");
constexpr Format kAiff = other_sound("AIFF", false, "sox IN.aiff OUT.wav");

constexpr std::array kStarts{
    Start{"P6\n", kPpm},
    Start{"P6 ", kPpm},
    Start{"P6\r", kPpm},
    Start{"P6\t", kPpm},
    Start{"P5\n", kPgm},
    Start{"P5 ", kPgm},
    Start{"P5\r", kPgm},
    Start{"P5\t", kPgm},
    Start{"P2\n", kPlain},
    Start{"P3\n", kPlain},
    Start{"P4\n", other_picture("PBM", false, "convert IN.pbm OUT.png")},
    Start{"P7\n", other_picture("PAM", false, "convert IN.pam OUT.png")},
    Start{"BM????\0\0\0\0?????\0\0\0"sv, kBmp},  // nothing reserved is used, and the next header is below 256 bytes
    Start{"\x89PNG\r\n\x1a\n", kPng},
    Start{"\xff\xd8\xff", kJpeg},
    Start{"RIFF????WAVE", kWav},
    Start{"RIFX????WAVE", kWav},
    Start{"RF64????WAVE", kWav},
    Start{"BW64????WAVE", kWav},
    Start{"GIF8", other_picture("GIF", true, "convert IN.gif OUT.png")},
    Start{"RIFF????WEBP", other_picture("WebP", true, "dwebp IN.webp -o OUT.png")},
    Start{"II*\0"sv, kTiff},
    Start{"MM\0*"sv, kTiff},
    Start{"????ftypheic", kHeif},
    Start{"????ftypmif1", kHeif},
    Start{"????ftypavif", kAvif},
    Start{"\0\0\0\fJXL "sv, kJpegXl},
    Start{"\xff\x0a", kJpegXl},
    Start{"\0\0\0\fjP  "sv, other_picture("JPEG 2000", true, "opj_decompress -i IN.jp2 -o OUT.png")},
    Start{"fLaC", other_sound("FLAC", true, "sox IN.flac OUT.wav")},
    Start{"FORM????AIFF", kAiff},
    Start{"FORM????AIFC", kAiff},
    Start{".snd", other_sound("AU", false, "sox IN.au OUT.wav")},
    Start{"OggS", other_sound("Ogg", true, "ffmpeg -i IN.ogg OUT.wav")},
    Start{"ID3", kMp3},
    Start{"\xff\xfb", kLikelyMp3},
    Start{"\xff\xfa", kLikelyMp3},
    Start{"\xff\xf3", kLikelyMp3},
    Start{"\xff\xf2", kLikelyMp3},
    Start{"????ftypM4A ", other_sound("M4A", true, "ffmpeg -i IN.m4a OUT.wav")},
    Start{"????ftyp", kMp4},
    Start{"\x1a\x45\xdf\xa3", other_sound("Matroska", true, "ffmpeg -i IN.mkv OUT.wav")},
    Start{"\x1f\x8b", archive("gzip", "gunzip IN.gz")},
    Start{"\xfd"
          "7zXZ",
          archive("xz", "unxz IN.xz")},
    Start{"PK\x03\x04", archive("zip", "unzip IN.zip")},
    Start{"\x28\xb5\x2f\xfd", archive("zstd", "unzstd IN.zst")},
    Start{"BZh", archive("bzip2", "bunzip2 IN.bz2")},
    Start{"7z\xbc\xaf\x27\x1c", archive("7z", "7z x IN.7z")},
    Start{"\x04\x22\x4d\x18", archive("lz4", "unlz4 IN.lz4")},
    Start{"LZIP", archive("lzip", "lzip -d IN.lz")},
    Start{"Rar!", archive("RAR", "unrar x IN.rar")},
    Start{"wOFF", archive("WOFF", "woff2sfnt IN.woff > OUT.otf")},
    Start{"wOF2", archive("WOFF", "woff2_decompress IN.woff2")},
};

bool begins(Bytes file, std::string_view start) {
  return file.size() >= start.size() &&
         std::equal(start.begin(), start.end(), file.begin(),
                    [](char wanted, std::uint8_t c) { return wanted == '?' || static_cast<std::uint8_t>(wanted) == c; });
}

}  // namespace

const Format* format_of(Bytes start) {
  for (const Start& each : kStarts)
    if (begins(start, each.bytes)) return &each.format;
  return nullptr;
}

Picture read_picture(Bytes file, std::int64_t max_pixels) {
  const Format* const format = format_of(file);
  check(format != nullptr && format->read != nullptr, "is not a picture of a format that is read");
  return format->read(file, max_pixels);
}

}  // namespace megalith::media

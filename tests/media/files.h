// SPDX-License-Identifier: Apache-2.0
// Files of pictures and sound, put together byte by byte, right ones and others.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "media/picture.h"

namespace megalith::tests {

using namespace std::string_literals;

inline media::Bytes bytes_of(std::string_view file) {
  return {reinterpret_cast<const std::uint8_t*>(file.data()), file.size()};
}
inline std::string text_of(media::Bytes bytes) { return std::string(media::as_text(bytes)); }

/// The lowest `bytes` bytes of a number, the lowest first, or last.
inline std::string low_first(std::uint64_t value, int bytes) {
  std::string all;
  for (; bytes > 0; --bytes, value >>= 8) all += static_cast<char>(value);
  return all;
}
inline std::string high_first(std::uint64_t value, int bytes) {
  const std::string all = low_first(value, bytes);
  return {all.rbegin(), all.rend()};
}

/// EXIF data from their byte order on, with a tag of no interest before the orientation.
inline std::string exif(int orientation, bool big = false) {
  const auto number = big ? high_first : low_first;
  return (big ? "MM" : "II") + number(42, 2) + number(8, 4) + number(2, 2) +                                       //
         number(0x0100, 2) + number(4, 2) + number(1, 4) + number(640, 4) +                                        //
         number(0x0112, 2) + number(3, 2) + number(1, 4) + number(std::uint64_t(orientation), 2) + number(0, 2) +  //
         number(0, 4);
}

// BMP.

/// A file with the header of 1990 and later, made longer by `more`.
struct BmpFile {
  std::int32_t width = 1, height = 1;
  int bits = 24;
  std::uint32_t compression = 0, colours = 0;
  std::string more{}, behind{};  // the header; it, such as a palette
  std::string rows{};            // from the bottom, each a multiple of 4 bytes

  std::string whole() const {
    const std::string header = low_first(40 + more.size(), 4) + low_first(std::uint64_t(width), 4) +
                               low_first(std::uint64_t(height), 4) + low_first(1, 2) + low_first(std::uint64_t(bits), 2) +
                               low_first(compression, 4) + low_first(0, 12) + low_first(colours, 4) + low_first(0, 4) + more;
    const std::size_t at = 14 + header.size() + behind.size();
    return "BM" + low_first(at + rows.size(), 4) + low_first(0, 4) + low_first(at, 4) + header + behind + rows;
  }
};

// PNG (ISO/IEC 15948:2003).

inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc % 2 == 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

inline std::string png_chunk(const std::string& name, const std::string& content) {
  return high_first(content.size(), 4) + name + content + high_first(crc32(name + content), 4);
}

/// zlib's format with nothing compressed, for less than 64 KiB.
inline std::string stored(std::string_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char c : bytes) a = (a + static_cast<std::uint8_t>(c)) % 65521, b = (b + a) % 65521;
  return "\x78\x01\x01" + low_first(bytes.size(), 2) + low_first(~bytes.size(), 2) + std::string(bytes) +
         high_first(b << 16 | a, 4);
}

enum PngColour { kPngGrey = 0, kPngRgb = 2, kPngPalette = 3, kPngGreyAlpha = 4, kPngRgba = 6 };

struct PngFile {
  std::uint32_t width = 1, height = 1;
  int depth = 8;
  PngColour colour = kPngRgb;
  std::vector<std::string> rows{};  // each without its filter, which is none; if interlaced, those of each pass in turn
  std::string chunks{};             // before the pixels
  bool interlaced = false;

  std::string whole() const {
    std::string pixels;
    for (const std::string& row : rows) pixels += '\0' + row;
    return "\x89PNG\r\n\x1a\n" +
           png_chunk("IHDR", high_first(width, 4) + high_first(height, 4) + static_cast<char>(depth) +
                                 static_cast<char>(colour) + "\0\0"s + (interlaced ? '\1' : '\0')) +
           chunks + png_chunk("IDAT", stored(pixels)) + png_chunk("IEND", "");
  }
};

// WAV.

inline std::string chunk(const std::string& name, const std::string& content) {
  return name + low_first(content.size(), 4) + content + (content.size() % 2 == 1 ? "\0"s : "");
}
inline std::string riff(const std::string& chunks) { return "RIFF" + low_first(4 + chunks.size(), 4) + "WAVE" + chunks; }
inline std::string wav_format(int tag, int channels, int rate, int bits, const std::string& more = "") {
  const int frame = channels * ((bits + 7) / 8);
  return chunk("fmt ", low_first(std::uint64_t(tag), 2) + low_first(std::uint64_t(channels), 2) +
                           low_first(std::uint64_t(rate), 4) + low_first(std::uint64_t(rate) * std::uint64_t(frame), 4) +
                           low_first(std::uint64_t(frame), 2) + low_first(std::uint64_t(bits), 2) + more);
}
/// What follows in the format of WAVE_FORMAT_EXTENSIBLE.
inline std::string extension(int tag, int bits) {
  return low_first(22, 2) + low_first(std::uint64_t(bits), 2) + low_first(0, 4) + low_first(std::uint64_t(tag), 2) +
         "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"s;
}

}  // namespace megalith::tests

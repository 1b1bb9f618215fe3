// SPDX-License-Identifier: Apache-2.0
// Pictures as rows of bytes, and the files that they come from and go into. Readers and writers work on bytes in memory and
// know no file names: an Error is the end of a sentence that begins with one ("a.png" "ends inside its header").
#pragma once

#include <cstdint>
#include <vector>

#include "byte_reader.h"

namespace megalith::media {

struct Picture {
  std::int64_t width = 0, height = 0;
  int channels = 3;                    // 3: red, green, blue; 1: grey
  std::vector<std::uint8_t> pixels{};  // [height, width, channels], rows from the top
  bool had_alpha = false;              // the file told how transparent pixels are: left out
  bool had_16_bits = false;            // of its samples, the high bytes are here

  std::int64_t row_bytes() const { return width * channels; }
};

/// More than any camera's, and less than what makes a small machine swap: 800 MB in three channels.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

/// Each reads a file of its format. Throws Error where that is damaged, cut short, or of a kind that gives no bytes for
/// sure, and where it claims more pixels than `max_pixels` or than its size can hold, before memory is asked for.
Picture read_ppm(Bytes file, std::int64_t max_pixels = kMaxPixels);   // P5 and P6
Picture read_bmp(Bytes file, std::int64_t max_pixels = kMaxPixels);   // uncompressed
Picture read_png(Bytes file, std::int64_t max_pixels = kMaxPixels);   // where there is libpng, else an Error says so
Picture read_jpeg(Bytes file, std::int64_t max_pixels = kMaxPixels);  // the same with libjpeg-turbo

/// P6, or P5 of grey.
std::vector<std::uint8_t> to_ppm(const Picture& picture);
/// 24 bits a pixel, or 8 of grey: what browsers show.
std::vector<std::uint8_t> to_bmp(const Picture& picture);

/// Throws Error unless a header's width and height are those of a picture that may be read: at least 1 each and at most
/// `max_pixels` in all.
void check_size(std::int64_t width, std::int64_t height, std::int64_t max_pixels);
/// Throws Error where the pixels that a header claims need `least` bytes of file, and there are fewer.
void check_holds(std::int64_t width, std::int64_t height, std::int64_t least, std::int64_t bytes);

}  // namespace megalith::media

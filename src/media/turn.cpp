// SPDX-License-Identifier: Apache-2.0
#include "turn.h"

#include <algorithm>
#include <utility>

namespace megalith::media {

int exif_orientation(Bytes exif) noexcept try {
  const auto order = as_text(ByteReader(exif).take(2)) == "MM" ? std::endian::big : std::endian::little;
  ByteReader header(exif, order);
  header.take(2);
  if (header.number<std::uint16_t>() != 42) return 1;
  const auto first = header.number<std::uint32_t>();
  ByteReader tags(exif, order);
  tags.take(first);
  for (auto left = tags.number<std::uint16_t>(); left > 0; --left) {  // each has 12 bytes
    const auto tag = tags.number<std::uint16_t>(), type = tags.number<std::uint16_t>();
    const auto count = tags.number<std::uint32_t>();
    const auto value = tags.number<std::uint16_t>();
    tags.take(2);
    constexpr std::uint16_t kOrientation = 0x0112, kShort = 3;
    if (tag == kOrientation) return type == kShort && count == 1 && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
} catch (const Error&) {
  return 1;
}

Picture turned(Picture picture, int orientation) {
  if (orientation == 1) return picture;
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture out = picture;
  if (transposed) std::swap(out.width, out.height);
  std::uint8_t* to = out.pixels.data();
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      std::int64_t from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (from_right) from_x = picture.width - 1 - from_x;
      if (from_below) from_y = picture.height - 1 - from_y;
      const std::uint8_t* const from = picture.pixels.data() + (from_y * picture.width + from_x) * picture.channels;
      to = std::copy_n(from, picture.channels, to);
    }
  }
  return out;
}

}  // namespace megalith::media

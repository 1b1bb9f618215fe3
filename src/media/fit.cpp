// SPDX-License-Identifier: Apache-2.0
#include "fit.h"

#include <algorithm>
#include <utility>

namespace megalith::media {
namespace {

/// The same without its pixels, at another size.
Picture like(const Picture& picture, const Size& size) {
  Picture out{.width = size.width, .height = size.height, .channels = picture.channels};
  out.had_alpha = picture.had_alpha;
  out.had_16_bits = picture.had_16_bits;
  return out;
}

Picture middle(const Picture& picture, const Size& size) {
  return cut(picture, (picture.width - size.width) / 2, (picture.height - size.height) / 2, size);
}

}  // namespace

Picture cut(const Picture& picture, std::int64_t x, std::int64_t y, const Size& size) {
  Picture out = like(picture, size);
  out.pixels.reserve(static_cast<std::size_t>(out.row_bytes() * out.height));
  for (std::int64_t row = y; row < y + size.height; ++row) {
    const auto from = picture.pixels.begin() + row * picture.row_bytes() + x * picture.channels;
    out.pixels.insert(out.pixels.end(), from, from + out.row_bytes());
  }
  return out;
}

Picture reduced(const Picture& picture, std::int64_t factor) {
  if (factor == 1) return picture;
  Picture out = like(picture, {picture.width / factor, picture.height / factor});
  out.pixels.reserve(static_cast<std::size_t>(out.row_bytes() * out.height));
  const std::int64_t all = factor * factor;
  std::vector<std::int64_t> sums;
  for (std::int64_t y = 0; y < out.height; ++y) {
    sums.assign(static_cast<std::size_t>(out.row_bytes()), all / 2);  // half, so that the quotient is rounded
    for (std::int64_t row = y * factor; row < (y + 1) * factor; ++row) {
      const std::uint8_t* from = picture.pixels.data() + row * picture.row_bytes();
      for (std::int64_t x = 0; x < out.width * factor; ++x)
        for (int c = 0; c < out.channels; ++c) sums[static_cast<std::size_t>(x / factor * out.channels + c)] += *from++;
    }
    for (const std::int64_t sum : sums) out.pixels.push_back(static_cast<std::uint8_t>(sum / all));
  }
  return out;
}

std::vector<Picture> fitted(Picture picture, const Size& size, Fit fit) {
  const auto& [width, height] = size;
  check(picture.width >= width && picture.height >= height, "is a picture of ", picture.width, " x ", picture.height,
        " pixels, too small for ", width, " x ", height, "; take a smaller --size, or leave it out with --exclude");
  std::vector<Picture> out;
  if (fit == Fit::tile) {
    for (std::int64_t y = 0; y + height <= picture.height; y += height)
      for (std::int64_t x = 0; x + width <= picture.width; x += width) out.push_back(cut(picture, x, y, size));
  } else {
    const std::int64_t factor = fit == Fit::crop ? 1 : std::min(picture.width / width, picture.height / height);
    out.push_back(middle(reduced(picture, factor), size));
  }
  return out;
}

Picture as_grey(Picture picture) {
  if (picture.channels == 1) return picture;
  for (std::size_t i = 0; 3 * i < picture.pixels.size(); ++i) {
    const std::uint8_t* const rgb = &picture.pixels[3 * i];
    picture.pixels[i] = static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
  }
  picture.pixels.resize(picture.pixels.size() / 3);
  picture.channels = 1;
  return picture;
}

Picture as_rgb(Picture picture) {
  if (picture.channels == 3) return picture;
  std::vector<std::uint8_t> pixels;
  pixels.reserve(3 * picture.pixels.size());
  for (const std::uint8_t grey : picture.pixels) pixels.insert(pixels.end(), 3, grey);
  picture.pixels = std::move(pixels);
  picture.channels = 3;
  return picture;
}

}  // namespace megalith::media

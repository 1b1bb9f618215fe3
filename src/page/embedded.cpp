// SPDX-License-Identifier: Apache-2.0
#include "embedded.h"

#include <algorithm>
#include <array>

#include "html.h"
#include "megalith/core/check.h"

namespace megalith::page {
namespace {

std::string data_uri(std::string_view type, std::span<const std::uint8_t> bytes) {
  return text("data:", type, ";base64,", base64(bytes));
}

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes = bytes.subspan(std::min<std::size_t>(3, bytes.size()))) {
    std::array<std::uint8_t, 3> three{};
    std::copy_n(bytes.begin(), std::min<std::size_t>(3, bytes.size()), three.begin());
    unsigned bits = 0;
    for (const std::uint8_t byte : three) bits = bits << 8 | byte;
    for (std::size_t i = 0; i < 4; ++i) out += i <= bytes.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string image_html(const media::Picture& picture, std::string_view alt, std::int64_t side) {
  const std::int64_t times = std::max<std::int64_t>(1, side / std::max(picture.width, picture.height));
  return text("<img width=\"", picture.width * times, "\" height=\"", picture.height * times, "\" alt=\"", escaped(alt),
              "\" src=\"", data_uri("image/bmp", media::to_bmp(picture)), "\">");
}

std::string sound_html(const media::SoundFormat& format, std::span<const std::uint8_t> samples, std::string_view label) {
  const std::size_t whole = samples.size() - samples.size() % static_cast<std::size_t>(format.frame_bytes());
  return text("<audio controls aria-label=\"", escaped(label), "\" src=\"",
              data_uri("audio/wav", media::to_wav(format, samples.first(whole))), "\"></audio>");
}

}  // namespace megalith::page

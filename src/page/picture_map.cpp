// SPDX-License-Identifier: Apache-2.0
#include "picture_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "embedded.h"
#include "html.h"
#include "megalith/core/check.h"
#include "numbers.h"

namespace megalith::page {
namespace {

constexpr double kMostBits = 8;
constexpr std::int64_t kSide = 240;  // two pairs side by side

constexpr std::string_view kStyle = R"css(
body { max-width: 66rem; }
h2 { overflow-wrap: anywhere; }
.legend { display: grid; grid-template-columns: 1fr 1fr; width: 256px; max-width: 100%; margin: 1.25rem 0 1.5rem; font-size: .8rem; color: var(--soft); }
.legend img { grid-column: 1 / 3; width: 100%; height: .9rem; image-rendering: auto; } .legend span + span { text-align: right; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; }
.pictures figure { max-width: 100%; break-inside: avoid; }
.pictures figure div { display: flex; gap: 4px; } .pictures img { min-width: 0; max-width: calc(50% - 2px); align-self: flex-start; }
@media (max-width: 40rem) { body { padding: 1.25rem .75rem 2rem; } }
)css";

/// The colours from 0 to the most bits, from the left.
std::string legend() {
  media::Picture ramp{.width = 256, .height = 1};
  for (int x = 0; x < 256; ++x)
    for (const std::uint8_t channel : heat_colour(kMostBits * x / 255)) ramp.pixels.push_back(channel);
  return "<div class=\"legend\">" +
         image_html(ramp, "Colours by surprisal, from black over purple and orange to light yellow") +
         "<span>0 bits a byte</span><span>8 and more</span></div>\n";
}

double mean(std::span<const float> bits) {
  return std::accumulate(bits.begin(), bits.end(), 0.0) / static_cast<double>(bits.size());
}

}  // namespace

std::array<std::uint8_t, 3> heat_colour(double bits) {
  constexpr std::array<std::array<int, 3>, 9> kMagma{{{0x00, 0x00, 0x04},
                                                      {0x1D, 0x11, 0x47},
                                                      {0x51, 0x12, 0x7C},
                                                      {0x82, 0x26, 0x81},
                                                      {0xB6, 0x36, 0x79},
                                                      {0xE6, 0x51, 0x64},
                                                      {0xFB, 0x88, 0x61},
                                                      {0xFE, 0xC2, 0x87},
                                                      {0xFC, 0xFD, 0xBF}}};
  // What is no number is as surprising as can be.
  const double at = bits < kMostBits ? std::max(0.0, bits) / kMostBits * (kMagma.size() - 1) : kMagma.size() - 1;
  const auto low = std::min(static_cast<std::size_t>(at), kMagma.size() - 2);
  std::array<std::uint8_t, 3> out{};
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] =
        static_cast<std::uint8_t>(std::lround(std::lerp(kMagma[low][c], kMagma[low + 1][c], at - static_cast<double>(low))));
  return out;
}

PictureMap::PictureMap(const media::Shape& shape, std::int64_t max_bytes)
    : shape_(shape), left_(std::max<std::int64_t>(1, max_bytes / shape.bytes()) * shape.bytes()) {}

void PictureMap::add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes,
                     std::span<const float> bits) {
  if (full()) return;
  if (files_.empty() || offset == 0) files_.push_back({path, {}, {}});
  const auto n = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(std::ssize(bytes), left_));
  files_.back().bytes.insert(files_.back().bytes.end(), bytes.begin(), bytes.begin() + n);
  files_.back().bits.insert(files_.back().bits.end(), bits.begin(), bits.begin() + n);
  left_ -= n;
}

/// A picture of a file, counted from 0, and its surprisal.
std::string PictureMap::picture_html(const File& file, std::int64_t number) const {
  const auto begin = static_cast<std::size_t>(number * shape_.bytes()), size = static_cast<std::size_t>(shape_.bytes());
  const auto channels = static_cast<std::size_t>(shape_.channels);
  const std::span bits = std::span(file.bits).subspan(begin, size);
  media::Picture heat{.width = shape_.width, .height = shape_.height};
  for (std::size_t at = 0; at < size; at += channels)
    for (const std::uint8_t channel : heat_colour(mean(bits.subspan(at, channels)))) heat.pixels.push_back(channel);
  const std::string name = "Picture " + grouped(number + 1);
  return "<figure><div>" + image_html(media::sheet(shape_, 1, std::span(file.bytes).subspan(begin, size)), name, kSide) +
         image_html(heat, name + " by surprisal", kSide) + "</div><figcaption>" + name + ": " + rounded(mean(bits), 3) +
         " bits per byte</figcaption></figure>\n";
}

std::string PictureMap::html(std::string_view model, std::int64_t total_bytes, double bits_per_byte,
                             std::string_view overview) const {
  std::string sections;
  std::int64_t shown = 0;
  for (const File& file : files_) {
    const std::int64_t count = std::ssize(file.bytes) / shape_.bytes();
    if (count == 0) continue;
    sections += "<h2>" + escaped(file.path) + "</h2>\n<div class=\"pictures\">\n";
    for (std::int64_t i = 0; i < count; ++i) sections += picture_html(file, i);
    sections += "</div>\n";
    shown += count;
  }
  std::string about =
      "<h1>What surprises the model</h1>\n<p class=\"soft\">" + escaped(model) + ": " + rounded(bits_per_byte, 3) +
      " bits per byte over " + grouped(total_bytes) + " bytes" +
      (shown * shape_.bytes() < total_bytes ? ", of which the first " + counted(shown, "picture") + " of " +
                                                  text(shape_.width, " × ", shape_.height) + " pixels are shown"
                                            : "") +
      ". Beside each picture every pixel has the colour of its mean surprisal: the brighter, the less the model expected "
      "its " +
      plural(shape_.channels, "byte") + "; a byte that could be any has 8 bits.</p>\n";
  return document("What surprises the model", kStyle, about.append(overview) + legend() + sections);
}

}  // namespace megalith::page

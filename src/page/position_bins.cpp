// SPDX-License-Identifier: Apache-2.0
#include "position_bins.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "megalith/core/check.h"
#include "numbers.h"

namespace megalith::page {
namespace {

constexpr std::int64_t kFirst = 1024;  // bytes of the first bin

constexpr const char* kStyle =
    "<style>.by-position .narrow { display: none; } @media screen and (max-width: 34rem) { .by-position .wide { display: "
    "none; } .by-position .narrow { display: block; } }</style>\n";

/// 524288 as "512 Ki", of multiples of 1024.
std::string in_binary(std::int64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"", " Ki", " Mi", " Gi", " Ti", " Pi"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); bytes /= 1024) ++unit;
  return text(bytes, kUnits[unit]);
}

}  // namespace

void PositionBins::add(std::int64_t offset, std::span<const float> bits) {
  end_ = std::max(end_, offset + std::ssize(bits));
  for (std::size_t b = 0; !bits.empty(); ++b) {
    if (b == bins_.size()) {
      const std::int64_t from = b == 0 ? 0 : bins_.back().to;
      bins_.push_back({from, b == 0 ? kFirst : 2 * from});
    }
    PositionBin& bin = bins_[b];
    if (offset >= bin.to) continue;
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(bin.to - offset, std::ssize(bits)));
    for (const float x : bits.first(n)) bin.bits += static_cast<double>(x);
    bin.bytes += static_cast<std::int64_t>(n);
    bits = bits.subspan(n);
    offset += static_cast<std::int64_t>(n);
  }
}

std::vector<PositionBin> PositionBins::bins() const {
  std::vector<PositionBin> all;
  std::copy_if(bins_.begin(), bins_.end(), std::back_inserter(all), [](const PositionBin& bin) { return bin.bytes > 0; });
  if (!all.empty()) all.back().to = end_;
  return all;
}

std::string position_name(const PositionBin& bin, bool last) {
  return in_binary(bin.from) + " to " + (last ? "the end" : in_binary(bin.to));
}

Plot position_plot(const std::vector<PositionBin>& bins, int width, int height) {
  Series line{.color = 0, .markers = true};
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const PositionBin& bin = bins[i];
    // The first bin begins at 0, which a logarithmic axis has not.
    const double from = static_cast<double>(bin.from > 0 ? bin.from : kFirst / 2), to = static_cast<double>(bin.to);
    line.points.push_back({std::sqrt(from * std::max(from, to)), bin.bits_per_byte(),
                           text(position_name(bin, i + 1 == bins.size()), ": ", rounded(bin.bits_per_byte(), 3),
                                " bits per byte of ", grouped(bin.bytes), " bytes")});
  }
  Plot plot{.title = "Bits per byte by position in the file",
            .x = {.label = "bytes before it in the file", .log = true, .unit = "B"},
            .y = {.label = "bits per byte"},
            .width = width,
            .height = height};
  if (!bins.empty()) {
    line.end = rounded(bins.back().bits_per_byte(), 3);
    plot.description = text("From ", rounded(bins.front().bits_per_byte(), 3), " bits per byte at positions ",
                            position_name(bins.front(), bins.size() == 1), " to ", line.end, " at positions ",
                            position_name(bins.back(), true), ".");
  }
  plot.series = {line};
  return plot;
}

std::string position_section(const std::vector<PositionBin>& bins) {
  if (bins.size() < 2) return "";
  return text("<h2>Bits per byte by position in the file</h2>\n", kStyle,
              "<figure class=\"by-position\">\n<div class=\"wide\">", svg(position_plot(bins, 760, 360), "position-wide"),
              "</div>\n<div class=\"narrow\">", svg(position_plot(bins, 380, 320), "position-narrow"),
              "</div>\n</figure>\n");
}

}  // namespace megalith::page

// SPDX-License-Identifier: Apache-2.0
// Bits per byte by the position in a file: what a model gains from having seen more before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svg_plot.h"

namespace megalith::page {

/// The bytes of all files at positions [from, to), counted from the start of each.
struct PositionBin {
  std::int64_t from = 0, to = 0;
  std::int64_t bytes = 0;
  double bits = 0;

  double bits_per_byte() const { return bits / static_cast<double>(bytes); }
};

/// Sums of surprisals in bins that double: [0, 1 Ki), [1 Ki, 2 Ki), [2 Ki, 4 Ki) and so on.
class PositionBins {
 public:
  /// Surprisals of consecutive bytes of a file from `offset` on, in any order of calls.
  void add(std::int64_t offset, std::span<const float> bits);
  /// Those with bytes, by position. The last ends where the longest file does.
  std::vector<PositionBin> bins() const;

 private:
  std::vector<PositionBin> bins_;
  std::int64_t end_ = 0;  // of the longest file
};

/// "0 to 1 Ki", "512 Ki to 1 Mi"; the last bin goes to "the end".
std::string position_name(const PositionBin& bin, bool last);

/// Bits per byte against position.
Plot position_plot(const std::vector<PositionBin>& bins, int width, int height);

/// A section of a page: the plot, for wide screens and narrow ones. Empty where there are fewer than two bins.
std::string position_section(const std::vector<PositionBin>& bins);

}  // namespace megalith::page

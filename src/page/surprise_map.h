// SPDX-License-Identifier: Apache-2.0
// Text in the colours of its costs: what surprises a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace megalith::page {

/// A page with the beginning of each file, every character on a ground of the colour of its cost, until so many bytes were
/// shown.
class SurpriseMap {
 public:
  explicit SurpriseMap(std::int64_t max_bytes) : left_(max_bytes) {}

  /// Costs in bits of the bytes that follow in a file, files one after another; of a file given first at offset 0.
  void add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes, std::span<const float> bits);
  /// Whether more bytes would be shown.
  bool full() const { return left_ <= 0; }

  /// `total_bytes` of them were measured, with `bits_per_byte`.
  std::string html(std::string_view model, std::int64_t total_bytes, double bits_per_byte) const;

 private:
  struct File {
    std::string path, bytes;
    std::vector<float> bits;
  };
  std::int64_t left_, shown_ = 0;
  std::vector<File> files_;
};

/// The colour of a cost in bits: 0, below half a bit, to 8, from 12 on.
int heat(double bits);

}  // namespace megalith::page

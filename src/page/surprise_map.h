// SPDX-License-Identifier: Apache-2.0
// Text, or other bytes in hexadecimal, coloured by surprisal: what a model did not expect.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace megalith::page {

/// A page with the beginning of each file, every character on a ground of the colour of its surprisal, up to a number of
/// bytes in all. Each line tells its bits, and a table the characters that surprised most. A byte takes about 30 bytes of
/// the page in text and 50 in hexadecimal.
class SurpriseMap {
 public:
  explicit SurpriseMap(std::int64_t max_bytes) : left_(max_bytes) {}

  /// Adds the next bytes of a file and the surprisal of each in bits. Files come one after the other, each from offset 0 on.
  void add(const std::string& path, std::int64_t offset, std::span<const std::uint8_t> bytes, std::span<const float> bits);
  /// Whether no more bytes would be shown.
  bool full() const { return left_ <= 0; }

  /// `total_bytes` is how many bytes were measured, shown or not, and `bits_per_byte` their mean surprisal. `overview`
  /// is HTML that comes before the files.
  std::string html(std::string_view model, std::int64_t total_bytes, double bits_per_byte,
                   std::string_view overview = "") const;

 private:
  struct File {
    std::string path, bytes;
    std::vector<float> bits;
  };
  std::int64_t left_, shown_ = 0;
  std::vector<File> files_;
};

}  // namespace megalith::page

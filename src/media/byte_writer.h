// SPDX-License-Identifier: Apache-2.0
// A file's header in memory, little-endian.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace megalith::media {

/// Appends characters and numbers.
class ByteWriter {
 public:
  ByteWriter& text(std::string_view characters) {
    bytes_.insert(bytes_.end(), characters.begin(), characters.end());
    return *this;
  }
  template <std::integral N>
  ByteWriter& number(N value) {
    for (std::size_t i = 0; i < sizeof(N); ++i)
      bytes_.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> 8 * i));
    return *this;
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace megalith::media

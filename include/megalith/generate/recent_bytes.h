// SPDX-License-Identifier: Apache-2.0
// Which bytes came lately.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "megalith/core/shape.h"

namespace megalith {

/// The last bytes of a sequence, as the set of values among them. Adding allocates nothing.
class RecentBytes {
 public:
  /// Of the last `window` bytes, 1 or more.
  explicit RecentBytes(Index window) : ring_(static_cast<std::size_t>(window)) {}

  void add(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > ring_.size()) bytes = bytes.last(ring_.size());
    for (const std::uint8_t byte : bytes) {
      if (size_ == ring_.size()) --count_[ring_[at_]];
      else ++size_;
      ring_[at_] = byte;
      ++count_[byte];
      at_ = (at_ + 1) % ring_.size();
    }
  }
  bool contains(std::uint8_t byte) const { return count_[byte] > 0; }

 private:
  std::vector<std::uint8_t> ring_;
  std::size_t at_ = 0;    // where the next byte goes
  std::size_t size_ = 0;  // bytes in the ring
  std::array<std::uint32_t, kByteValues> count_{};
};

}  // namespace megalith

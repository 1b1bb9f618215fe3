// SPDX-License-Identifier: Apache-2.0
// The bytes of a file in memory, from the first on.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "megalith/core/check.h"

namespace megalith::media {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Takes bytes and numbers off the front. Throws Error where there are not as many left.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes, std::endian order = std::endian::little) : left_(bytes), order_(order) {}

  Bytes left() const { return left_; }
  Bytes take(std::size_t count) {
    check(count <= left_.size(), "ends inside its header");
    const Bytes taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  template <std::integral N>
  N number() {
    std::uint64_t all = 0;
    const Bytes bytes = take(sizeof(N));
    for (std::size_t i = 0; i < sizeof(N); ++i)
      all = all << 8 | bytes[order_ == std::endian::little ? sizeof(N) - 1 - i : i];
    return static_cast<N>(all);
  }

 private:
  Bytes left_;
  std::endian order_;
};

}  // namespace megalith::media

// SPDX-License-Identifier: Apache-2.0
// Sizes of pictures as options give them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace megalith::tool {

/// The whole numbers from 1 to `most` of a text such as 64x64x3; nothing where it is another.
inline std::optional<std::vector<std::int64_t>> dimensions(std::string_view given, std::int64_t most = 1 << 24) {
  std::vector<std::int64_t> all;
  for (;;) {
    std::int64_t n = 0;
    const auto [end, problem] = std::from_chars(given.data(), given.data() + given.size(), n);
    if (problem != std::errc{} || n < 1 || n > most) return std::nullopt;
    all.push_back(n);
    given.remove_prefix(static_cast<std::size_t>(end - given.data()));
    if (given.empty()) return all;
    if (given.front() != 'x') return std::nullopt;
    given.remove_prefix(1);
  }
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// What pages hold as data: URIs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace megalith::tests {

inline std::string from_base64(std::string_view digits) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char digit : digits) {
    const std::size_t value = kDigits.find(digit);
    if (value == kDigits.npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8));
  }
  return out;
}

/// The contents of all data: URIs of a type in a page, in turn.
inline std::vector<std::string> embedded(std::string_view page, std::string_view type) {
  const std::string start = "src=\"data:" + std::string(type) + ";base64,";
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = page.find(start, at)) != page.npos;) {
    at += start.size();
    all.push_back(from_base64(page.substr(at, page.find('"', at) - at)));
  }
  return all;
}

}  // namespace megalith::tests

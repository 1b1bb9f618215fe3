// SPDX-License-Identifier: Apache-2.0
// Bytes as pairs of hexadecimal digits.
#pragma once

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace megalith::detail {

/// Two digits, small letters.
inline std::string hex(char byte) {
  constexpr const char* kDigits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {kDigits[value >> 4], kDigits[value & 15]};
}

inline std::string in_hex(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) digits += hex(byte);
  return digits;
}

/// The bytes; nothing where the text is not made of pairs of digits.
inline std::optional<std::string> from_hex(const std::string& digits) {
  const auto is_digit = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (digits.size() % 2 != 0 || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace megalith::detail

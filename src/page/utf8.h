// SPDX-License-Identifier: Apache-2.0
// Which bytes of a string are text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "../json/hex.h"

namespace megalith::page {

/// How many bytes the UTF-8 character at the start of `bytes` has: 1 to 4, or 0 where none begins there.
inline std::size_t utf8_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = at(0);
  const std::size_t n = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (n > bytes.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  // No longer than needed, no halves of UTF-16 pairs, nothing behind U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return n;
}

/// How many bytes at the end begin a UTF-8 character and do not end it: 0 to 3.
inline std::size_t cut_character(std::string_view bytes) {
  for (std::size_t n = 1; n <= std::min<std::size_t>(3, bytes.size()); ++n) {
    const auto first = static_cast<unsigned char>(bytes[bytes.size() - n]);
    if ((first & 0xC0) == 0x80) continue;
    return (first >= 0xF0 ? 4u : first >= 0xE0 ? 3u : first >= 0xC2 ? 2u : 1u) > n ? n : 0;
  }
  return 0;
}

/// Calls f(piece, is_text) for each character and each byte that belongs to none, in order. Control characters but the end
/// of a line and the tab are not text: terminals and pages would act on them or hide them.
template <class F>
void for_each_character(std::string_view bytes, F&& f) {
  while (!bytes.empty()) {
    std::size_t n = utf8_length(bytes);
    const unsigned char first = static_cast<unsigned char>(bytes[0]);
    const bool control = (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F ||
                         (first == 0xC2 && n == 2 && static_cast<unsigned char>(bytes[1]) < 0xA0);
    const bool is_text = n > 0 && !control;
    if (!is_text) n = 1;
    f(bytes.substr(0, n), is_text);
    bytes.remove_prefix(n);
  }
}

inline bool is_utf8(std::string_view bytes) {
  while (const std::size_t n = utf8_length(bytes)) bytes.remove_prefix(n);
  return bytes.empty();
}

/// Bytes that a terminal can show: what is not text as \xNN. Lines stay lines.
inline std::string printable(std::string_view bytes) {
  std::string out;
  for_each_character(bytes, [&](std::string_view piece, bool is_text) {
    if (is_text) out += piece;
    else out += "\\x" + detail::hex(piece[0]);
  });
  return out;
}

/// The same as part of a line, such as the name of a file in a sentence: ends of lines and tabs as \n and \t.
inline std::string one_line(std::string_view bytes) {
  std::string out;
  for (const char c : printable(bytes)) {
    if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else out += c;
  }
  return out;
}

}  // namespace megalith::page

// SPDX-License-Identifier: Apache-2.0
// Ends a text where one of some strings would begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace megalith {

/// Lets bytes through up to the first stop string, which it swallows. A byte that may belong to one is held back until that
/// is known: never more bytes than the longest stop string has, less one.
class StopStrings {
 public:
  static constexpr std::size_t kMaxLength = 256;

  /// Without strings, everything goes through. Throws Error where one is empty or longer than kMaxLength.
  explicit StopStrings(std::vector<std::string> strings = {});

  /// Takes the next byte and gives those that may go out now, valid until the next call; nothing once stopped().
  std::string_view next(std::uint8_t byte);
  /// What was still held back, when no more bytes come.
  std::string_view rest();
  /// Whether a stop string came. Where two end with the same byte, the text ends before the longer one.
  bool stopped() const { return stopped_; }

 private:
  /// Bytes at the end of held_ that begin a stop string.
  std::size_t undecided() const;

  std::vector<std::string> strings_;
  std::string held_;
  std::size_t out_ = 0;  // bytes at the start of held_ that went out by the last call
  bool stopped_ = false;
};

}  // namespace megalith

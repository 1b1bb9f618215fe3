// SPDX-License-Identifier: Apache-2.0
// Standard input, read as it comes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace megalith::tool {

/// Whether --data names standard input. Where no --data was given it does too, if bytes are piped in. Throws Error where -
/// stands beside other paths, and where standard input is a terminal; CLI::RequiredError where there is nothing to read.
bool reads_standard_input(const std::vector<std::string>& data, int descriptor = 0);

/// Standard input in pieces, as they come.
class InputPieces {
 public:
  /// Waits for the first one. Throws Error where standard input is empty, saying that there is nothing to do this with
  /// ("measure"), or cannot be read.
  /// All pieces but the last are multiples of `multiple` bytes.
  explicit InputPieces(const char* purpose, std::size_t multiple = 1);

  /// Empty at the end; valid until next().
  std::span<const std::uint8_t> piece() const { return std::span(buffer_).first(size_); }
  std::string_view text() const { return {reinterpret_cast<const char*>(buffer_.data()), size_}; }
  std::size_t multiple() const { return multiple_; }
  /// Waits for the next one.
  void next();

 private:
  std::size_t multiple_;
  std::vector<std::uint8_t> buffer_;
  std::size_t size_ = 0;
};

}  // namespace megalith::tool

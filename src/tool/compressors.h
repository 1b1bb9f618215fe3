// SPDX-License-Identifier: Apache-2.0
// What gzip and xz make of bytes, for comparison.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace megalith::tool {

/// A program that compresses its standard input to its standard output.
struct Compressor {
  std::string name;  // as in figures
  std::vector<std::string> command;
};

/// `gzip -9` and `xz -9e`.
const std::vector<Compressor>& compressors();

/// The bytes that the program makes of a file, its own header included; nothing where it is not installed. Throws Error
/// where it fails.
std::optional<std::int64_t> compressed_bytes(const Compressor& compressor, const std::string& path);
/// The same of bytes in memory. What the program itself says where it fails is not shown.
std::optional<std::int64_t> compressed_bytes(const Compressor& compressor, std::span<const std::uint8_t> bytes);

}  // namespace megalith::tool

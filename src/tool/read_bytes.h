// SPDX-License-Identifier: Apache-2.0
// Bytes from an open file of any kind: a pipe, a terminal, one that its owner has set to not wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace megalith::tool {

/// Reads some bytes, waiting for them, and gives their number; 0 at the end. Throws Error, with `name` for what is read,
/// where they cannot be read.
std::size_t read_some(int descriptor, std::span<std::byte> out, const std::string& name);

/// Everything up to the end. Throws Error where that is more than `most` bytes, too.
std::string read_all(int descriptor, const std::string& name, std::int64_t most);

/// Everything in a file, pipe or device that a path leads to.
std::string read_all(const std::string& path, std::int64_t most);

}  // namespace megalith::tool

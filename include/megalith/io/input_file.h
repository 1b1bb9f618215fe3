// SPDX-License-Identifier: Apache-2.0
// A regular file that is open for reading at any place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace megalith {

/// A regular file, open for reading. Reads with pread instead of a mapping: a file that somebody cuts short meanwhile is
/// then an Error and not a signal that ends the process. Const calls may run at once.
class InputFile {
 public:
  /// Throws Error where the path does not exist, cannot be read, is a folder, pipe, socket or device, or a file whose size
  /// is not that of what it gives, as those of /proc and /sys are.
  explicit InputFile(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  const std::string& path() const { return path_; }
  /// Bytes at the time of opening.
  std::uint64_t size() const { return size_; }
  /// Fills `out` with the bytes from `offset` on. Throws Error where the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Tells the system that reads come in no order, so that it fetches nothing ahead.
  void expect_random_reads() const;

 private:
  void check_size() const;

  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// The whole text of a regular file. Throws Error where it cannot be read as above or has more than `max_bytes` bytes.
std::string read_text(const std::string& path, std::uint64_t max_bytes);

}  // namespace megalith

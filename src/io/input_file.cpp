// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "megalith/core/check.h"

namespace megalith {
namespace {

/// Throws what the last call of the system said.
[[noreturn]] void fail(const std::string& path) {
  throw Error(text("cannot read ", path, ": ", std::generic_category().message(errno)));
}

std::string kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  // Asked before opening, because opening a pipe waits for its other end and opening a device may do something.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail(path);
  const bool streams = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
  check(S_ISREG(status.st_mode), path, " is ", kind(status.st_mode), ", not a file",
        streams ? "; write what comes from it to a file, and name that" : "");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(path);
  size_ = static_cast<std::uint64_t>(status.st_size);
  try {
    check_size();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

/// Files that the system makes up when they are read say that they have no bytes, or a page of them.
void InputFile::check_size() const {
  std::byte last{};
  const off_t at = size_ == 0 ? 0 : static_cast<off_t>(size_ - 1);
  ssize_t got = 0;
  while ((got = ::pread(descriptor_, &last, 1, at)) < 0 && errno == EINTR) {
  }
  if (got < 0) fail(path_);
  check((got > 0) == (size_ > 0), path_, " says that it has ", size_, size_ == 1 ? " byte" : " bytes", ", and gives ",
        got > 0 ? "more" : "fewer", ", as files of /proc and /sys do; copy it to a file with `cat` and name that");
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), descriptor_(std::exchange(other.descriptor_, -1)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_);
    check(got > 0, path_, " ends at byte ", offset, ", before its ", size_, " bytes: it changed while it was read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void InputFile::expect_random_reads() const { (void)::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM); }

std::string read_text(const std::string& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  check(file.size() <= max_bytes, path, " is too large: it has ", file.size(), " bytes, and may have at most ", max_bytes);
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(content)));
  return content;
}

}  // namespace megalith

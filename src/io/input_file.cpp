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

std::string last_error() { return std::generic_category().message(errno); }

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
  check(::stat(path.c_str(), &status) == 0, "cannot read ", path, ": ", last_error());
  check(S_ISREG(status.st_mode), path, " is ", kind(status.st_mode), ", not a file");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(descriptor_ >= 0, "cannot read ", path, ": ", last_error());
  size_ = static_cast<std::uint64_t>(status.st_size);
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
    check(got >= 0, "cannot read ", path_, ": ", last_error());
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

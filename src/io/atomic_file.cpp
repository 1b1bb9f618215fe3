// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "megalith/core/check.h"

namespace megalith {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw Error(text("cannot write ", path, ": ", std::generic_category().message(errno)));
}

/// Puts a rename in `folder` on the disk. Some file systems cannot, and say EINVAL; then the rename itself is all there is.
void sync_folder(const std::string& folder, const std::string& path) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(path);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result == 0 || error == EINVAL) return;
  errno = error;
  fail(path);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(path_, error)) {
    if (fs::is_directory(path_, error)) {
      errno = EISDIR;
      fail(path_);
    }
    check(fs::is_regular_file(path_, error), "cannot write ", path_,
          ": it is there and no regular file; choose another name");
    path_ = fs::canonical(path_, error).string();  // what a link points to is written, and the link stays
    check(!error, "cannot write ", path_, ": ", error.message());
  }
  temporary_ = path_ + kTemporary;
  unfinished_.emplace(
      [this] {
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (descriptor_ < 0) fail(path_);
      },
      [this] { ::unlink(temporary_.c_str()); });
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put = ::write(descriptor_, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(path_);
    data = data.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit() {
  // A full disk may show only here: network file systems report it late.
  if (::fsync(descriptor_) != 0) fail(path_);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_);
  unfinished_->finish([this] {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_);
  });
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  sync_folder(folder.empty() ? "." : folder, path_);
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace megalith

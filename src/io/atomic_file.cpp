// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "megalith/core/check.h"
#include "write_all.h"

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

/// Where a link leads, however many there are on the way; what is no link leads to itself.
std::string end_of_links(const std::string& link) {
  constexpr int kMostLinks = 40;  // as Linux follows
  std::error_code none;
  std::filesystem::path path = link;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path, none)); ++links) {
    errno = ELOOP;
    if (links == kMostLinks) fail(link);
    path = path.parent_path() / std::filesystem::read_symlink(path, none);
  }
  return path.string();
}

/// Gives an open file the owner, the group and the permissions of another one, as far as the system lets us: no group may
/// read what its own could not.
void make_like(int descriptor, const struct stat& old) {
  const bool same_group =
      ::fchown(descriptor, old.st_uid, old.st_gid) == 0 || ::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) == 0;
  (void)!::fchmod(descriptor, old.st_mode & (same_group ? 0777u : 0707u));
}

/// A path with more at its end; of a long name the end goes, since that may have as many bytes as the system takes.
std::string temporary_name(const std::string& path, const std::string& more) {
  const std::size_t name = path.rfind('/') + 1;  // 0 where there is none
  return path.substr(0, std::min(path.size(), name + NAME_MAX - more.size())) + more;
}

/// Whether a path leads to the file that is open.
bool leads_to(const std::string& path, int descriptor) {
  struct stat there {
  }, open{};
  return ::lstat(path.c_str(), &there) == 0 && ::fstat(descriptor, &open) == 0 && there.st_dev == open.st_dev &&
         there.st_ino == open.st_ino;
}

/// Claims an open file for this writer; false where another one has it. Where a file system knows no locks, all have it.
bool claim(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

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
  } else {
    path_ = end_of_links(path_);  // as long as that has no file
  }
  unfinished_.emplace([this] { open(); }, [this] { ::unlink(temporary_.c_str()); });
}

/// Makes a temporary file that no other writer has.
void AtomicFile::open() {
  constexpr int kMostWriters = 1000;
  struct stat old {};
  const bool replaces = ::stat(path_.c_str(), &old) == 0;
  if (!replaces && errno == ENAMETOOLONG) fail(path_);  // the temporary name is shorter
  for (int number = 1; descriptor_ < 0; ++number) {
    check(number <= kMostWriters, "cannot write ", path_, ": ", kMostWriters, " others are writing it");
    temporary_ = temporary_name(path_, number == 1 ? kTemporary : text(".", number, kTemporary));
    while (take(replaces ? S_IRUSR | S_IWUSR : 0666) && descriptor_ < 0) {
    }
  }
  // Only now, so that nobody reads it meanwhile who may not read the old one. Where it fails the file stays private.
  if (replaces) make_like(descriptor_, old);
}

/// Tries to make the file temporary_; false where another writer has that name. Without a descriptor afterwards the name was
/// on its way from one to another, or left by a process that was killed: it may be free now. Writers hold a lock until their
/// file has its own name, and whoever gets a lock looks whether the name still leads to that file.
bool AtomicFile::take(unsigned permissions) {
  const char* const name = temporary_.c_str();
  const int made = ::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, permissions);
  if (made >= 0) {
    const bool claimed = claim(made);
    if (claimed && leads_to(temporary_, made)) descriptor_ = made;
    else ::close(made);
    return claimed;
  }
  if (errno != EEXIST) fail(path_);
  const int found = ::open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (found < 0) {
    if (errno == ENOENT) return true;
    if (errno == EACCES) return false;  // left by another user
    fail(path_);
  }
  const bool claimed = claim(found);
  if (claimed && leads_to(temporary_, found) && ::unlink(name) != 0 && errno != ENOENT) {
    const int error = errno;
    ::close(found);
    errno = error;
    fail(path_);
  }
  ::close(found);
  return claimed;
}

AtomicFile::~AtomicFile() {
  unfinished_.reset();  // while the lock is held: the name may be another writer's afterwards
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::write(std::span<const std::byte> data) {
  if (!detail::write_all(descriptor_, data)) fail(path_);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit() {
  // A full disk may show only here: network file systems report it late.
  if (::fsync(descriptor_) != 0) fail(path_);
  unfinished_->finish([this] {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_);
  });
  ::close(std::exchange(descriptor_, -1));  // after the rename: until then the lock says that the name is taken
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  sync_folder(folder.empty() ? "." : folder, path_);
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace megalith

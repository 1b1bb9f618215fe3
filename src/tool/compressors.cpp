// SPDX-License-Identifier: Apache-2.0
#include "compressors.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "megalith/core/check.h"

extern char** environ;

namespace megalith::tool {
namespace {

struct Descriptor {
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number;
};

enum class Errors { shown, hidden };  // what the program itself says of a failure

/// The bytes that the program makes of what stands behind a descriptor; nothing where it is not installed.
std::optional<std::int64_t> compressed(const Compressor& compressor, int input, const std::string& name, Errors errors) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(text("cannot make a pipe: ", std::strerror(errno)));
  std::vector<char*> arguments;
  for (const std::string& argument : compressor.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  if (errors == Errors::hidden) posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // What this process blocks or ignores while it watches for signals (InterruptWatch) is no business of the other's.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t process = 0;
  const int problem = ::posix_spawnp(&process, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);

  std::int64_t bytes = 0;
  std::array<char, 1 << 16> piece{};
  int unread = 0;  // what the system says of a failure
  for (ssize_t n; problem == 0 && (n = ::read(ends[0], piece.data(), piece.size())) != 0;) {
    if (n > 0) bytes += n;
    else if (errno != EINTR) {
      unread = errno;
      break;
    }
  }
  ::close(ends[0]);
  if (problem == ENOENT) return std::nullopt;
  check(problem == 0, "cannot start ", compressor.name, ": ", std::strerror(problem));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  check(unread == 0, "cannot read what ", compressor.name, " writes: ", std::strerror(unread));
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, compressor.name, " failed on ", name);
  return bytes;
}

}  // namespace

const std::vector<Compressor>& compressors() {
  static const std::vector<Compressor> all{{"gzip -9", {"gzip", "-9", "-c"}}, {"xz -9e", {"xz", "-9e", "-T1", "-c"}}};
  return all;
}

std::optional<std::int64_t> compressed_bytes(const Compressor& compressor, const std::string& path) {
  const Descriptor input(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(input.number >= 0, "cannot open ", path, ": ", std::strerror(errno));
  return compressed(compressor, input.number, path, Errors::shown);
}

std::optional<std::int64_t> compressed_bytes(const Compressor& compressor, std::span<const std::uint8_t> bytes) {
  const Descriptor input(::memfd_create("megalith", MFD_CLOEXEC));
  check(input.number >= 0, "cannot keep a file in memory: ", std::strerror(errno));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(input.number, bytes.data() + done, bytes.size() - done);
    check(n > 0 || (n < 0 && errno == EINTR), "cannot write a file in memory: ", std::strerror(errno));
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  check(::lseek(input.number, 0, SEEK_SET) == 0, "cannot go back in a file in memory: ", std::strerror(errno));
  return compressed(compressor, input.number, "the bytes that it was given", Errors::hidden);
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
#include "compressors.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "megalith/core/check.h"

extern char** environ;

namespace megalith::tool {

const std::vector<Compressor>& compressors() {
  static const std::vector<Compressor> all{{"gzip -9", {"gzip", "-9", "-c"}}, {"xz -9e", {"xz", "-9e", "-T1", "-c"}}};
  return all;
}

std::optional<std::int64_t> compressed_bytes(const Compressor& compressor, const std::string& path) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(text("cannot make a pipe: ", std::strerror(errno)));
  std::vector<char*> arguments;
  for (const std::string& argument : compressor.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, path.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  pid_t process = 0;
  const int problem = ::posix_spawnp(&process, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
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
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, compressor.name, " failed on ", path);
  return bytes;
}

}  // namespace megalith::tool

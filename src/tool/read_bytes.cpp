// SPDX-License-Identifier: Apache-2.0
#include "read_bytes.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "../page/numbers.h"
#include "megalith/core/check.h"

namespace megalith::tool {
namespace {

using page::grouped;

[[noreturn]] void fail(const std::string& name) {
  throw Error(text("cannot read ", name, ": ", std::generic_category().message(errno)));
}

}  // namespace

std::size_t read_some(int descriptor, std::span<std::byte> out, const std::string& name) {
  for (;;) {
    const ssize_t n = ::read(descriptor, out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
      if (::poll(&input, 1, -1) >= 0) continue;
    }
    if (errno != EINTR) fail(name);
  }
}

std::string read_all(int descriptor, const std::string& name, std::int64_t most) {
  std::string all;
  std::array<std::byte, 1 << 16> piece;
  while (const std::size_t n = read_some(descriptor, piece, name)) {
    all.append(reinterpret_cast<const char*>(piece.data()), n);
    check(std::ssize(all) <= most, name, " has more than ", grouped(most), " bytes, which is the most that is read of it");
  }
  return all;
}

std::string read_all(const std::string& path, std::int64_t most) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path);
  try {
    std::string all = read_all(descriptor, path, most);
    ::close(descriptor);
    return all;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

}  // namespace megalith::tool

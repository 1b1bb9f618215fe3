// SPDX-License-Identifier: Apache-2.0
#include "write_all.h"

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace megalith::detail {
namespace {

bool is_pending(int signal) {
  sigset_t pending;
  return ::sigpending(&pending) == 0 && ::sigismember(&pending, signal) == 1;
}

/// write(), without the signal.
ssize_t write_some(int descriptor, std::span<const std::byte> data) {
  sigset_t size_limit, before;
  sigemptyset(&size_limit);
  sigaddset(&size_limit, SIGXFSZ);
  const bool blocked = ::pthread_sigmask(SIG_BLOCK, &size_limit, &before) == 0;
  const bool was_pending = is_pending(SIGXFSZ);  // somebody else's, which stays
  const ssize_t put = ::write(descriptor, data.data(), data.size());
  const int error = errno;
  if (put < 0 && error == EFBIG && blocked && !was_pending) {
    const timespec at_once{};
    while (::sigtimedwait(&size_limit, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  if (blocked) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return put;
}

}  // namespace

bool write_all(int descriptor, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t put = write_some(descriptor, data);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    data = data.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace megalith::detail

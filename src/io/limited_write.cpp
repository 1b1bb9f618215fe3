// SPDX-License-Identifier: Apache-2.0
#include "limited_write.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace megalith::detail {
namespace {

bool is_pending(int signal) {
  sigset_t pending;
  return ::sigpending(&pending) == 0 && ::sigismember(&pending, signal) == 1;
}

}  // namespace

ssize_t limited_write(int descriptor, const void* data, std::size_t bytes) {
  sigset_t size_limit, before;
  sigemptyset(&size_limit);
  sigaddset(&size_limit, SIGXFSZ);
  const bool blocked = ::pthread_sigmask(SIG_BLOCK, &size_limit, &before) == 0;
  const bool was_pending = is_pending(SIGXFSZ);  // somebody else's, which stays
  const ssize_t put = ::write(descriptor, data, bytes);
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

}  // namespace megalith::detail

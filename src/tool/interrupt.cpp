// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>

namespace megalith::tool {
namespace {

std::atomic<int> received{0};  // an atomic, since any thread may get the signal
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not wait for a lock");
struct sigaction before, term_before, pipe_before;

/// Calls only what a signal handler may call.
void on_interrupt(int signal) {
  int first = 0;
  if (!received.compare_exchange_strong(first, signal)) {
    if (signal == SIGINT) _exit(128 + SIGINT);
    return;
  }
  // Said here and not where the flag is read: a step may take seconds, and a silent terminal invites the second press.
  const int interrupted_errno = errno;
  constexpr std::string_view kNotice = "\nfinishing the step and saving; Ctrl-C again stops at once\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kNotice.data(), kNotice.size());
  errno = interrupted_errno;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;  // reading and writing files goes on
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before);
  sigaction(SIGTERM, &action, &term_before);
  // Ctrl-C also ends the `tee` that a log may be piped to: writing to it must not end the run before it is saved.
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &pipe_before);
}

InterruptWatch::~InterruptWatch() {
  sigaction(SIGINT, &before, nullptr);
  sigaction(SIGTERM, &term_before, nullptr);
  sigaction(SIGPIPE, &pipe_before, nullptr);
}

bool InterruptWatch::asked() const { return received != 0; }

int InterruptWatch::exit_code() const { return received == 0 ? 0 : 128 + received; }

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <string_view>
#include <system_error>

#include "megalith/core/check.h"
#include "megalith/io/unfinished.h"

namespace megalith::tool {
namespace {

/// Ends the process as the signal does where nobody watches for it.
[[noreturn]] void end_by(int signal) {
  const auto lock = Unfinished::undo_all();
  sigset_t only{};
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  raise(signal);
  _exit(128 + signal);  // the first process of a container survives its signals
}

/// Says it where that needs no waiting: a reader that has stopped must not keep the next signal from being seen.
void say(std::string_view text) {
  pollfd output{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&output, 1, 0) == 1 && (output.revents & POLLOUT) != 0) (void)!::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

InterruptWatch::InterruptWatch() {
  sigemptyset(&signals_);
  sigemptyset(&ignored_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    sigaddset(&signals_, signal);
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) sigaddset(&ignored_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);  // threads inherit it from the one that starts them
  // Ctrl-C also ends the `tee` that a log may be piped to: writing to it must not end the run before it is saved.
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &pipe_before_);
  try {
    waiter_ = std::thread([this] { wait_for_signals(); });
  } catch (const std::system_error&) {
    restore();
    throw Error(
        "the system refuses the thread that waits for Ctrl-C: raise the limit on processes (ulimit -u) or on memory "
        "(ulimit -v), or end other programs");
  }
}

InterruptWatch::~InterruptWatch() {
  done_ = true;
  pthread_kill(waiter_.native_handle(), SIGTERM);  // wakes it
  waiter_.join();
  restore();
}

void InterruptWatch::restore() {
  sigaction(SIGPIPE, &pipe_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void InterruptWatch::wait_for_signals() {
  for (int signal = 0; !done_ && sigwait(&signals_, &signal) == 0 && !done_;) {
    if (sigismember(&ignored_, signal) == 1) continue;  // one that is blocked arrives even so
    // A terminal that closes for the same reason, a queue or a limit that says it again: not an impatient user.
    if (first_ != 0 && signal != SIGINT && signal != SIGTERM) continue;
    if (!first_asks_ || first_ != 0) end_by(signal);
    first_ = signal;
    let_repetitions_pass();
    // Said here and not where the flag is read: a step may take seconds, and a silent terminal invites the second press.
    if (!done_) say("\nfinishing the step and saving; Ctrl-C again stops at once\n");
  }
}

void InterruptWatch::let_repetitions_pass() const {
  using std::chrono::milliseconds, std::chrono::steady_clock;
  constexpr timespec kTick{.tv_sec = 0, .tv_nsec = 10'000'000};
  for (const auto end = steady_clock::now() + milliseconds(100); steady_clock::now() < end && !done_;)
    sigtimedwait(&signals_, nullptr, &kTick);
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdio>

namespace megalith::tool {

InterruptWatch::InterruptWatch() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);  // threads inherit it from the one that starts them
  // Ctrl-C also ends the `tee` that a log may be piped to: writing to it must not end the run before it is saved.
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &pipe_before_);
  waiter_ = std::thread([this] { wait_for_signals(); });
}

InterruptWatch::~InterruptWatch() {
  done_ = true;
  pthread_kill(waiter_.native_handle(), SIGTERM);  // wakes it
  waiter_.join();
  sigaction(SIGPIPE, &pipe_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void InterruptWatch::wait_for_signals() {
  for (int signal = 0; sigwait(&signals_, &signal) == 0 && !done_;) {
    if (first_ != 0 && signal == SIGINT) _exit(128 + SIGINT);
    if (first_ != 0) continue;
    first_ = signal;
    // Said here and not where the flag is read: a step may take seconds, and a silent terminal invites the second press.
    std::fputs("\nfinishing the step and saving; Ctrl-C again stops at once\n", stderr);
  }
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, and SIGTERM, with which a system that shuts down or a batch queue asks the same.
#pragma once

#include <signal.h>

#include <atomic>
#include <thread>

namespace megalith::tool {

/// While one lives, the first signal only asks to stop. A Ctrl-C after that ends the process at once, with exit code 130;
/// another SIGTERM does not, since some senders reach a process twice. One at a time: signals belong to the process.
///
/// The signals are blocked in every thread but one that waits for them, so no handler ever interrupts a computation and what it
/// says needs no care. Threads that exist already would still be interrupted: make it before the first parallel work.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// Whether a signal came.
  bool asked() const { return first_ != 0; }
  /// 128 + the first signal, as shells say it: 130 after Ctrl-C; 0 where none came.
  int exit_code() const { return asked() ? 128 + first_ : 0; }

 private:
  void wait_for_signals();

  sigset_t signals_{}, mask_before_{};
  struct sigaction pipe_before_ {};
  std::atomic<int> first_{0};
  std::atomic<bool> done_{false};
  std::thread waiter_;
};

}  // namespace megalith::tool

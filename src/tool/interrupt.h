// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, SIGTERM, with which a system that shuts down or a batch queue asks the same, SIGHUP of a closed terminal, and
// SIGUSR1, SIGUSR2, SIGALRM and SIGXCPU, with which queues and limits on processor time tell that the end is near.
#pragma once

#include <signal.h>

#include <atomic>
#include <thread>

namespace megalith::tool {

/// While one lives, a signal ends the process as it would without, but leaves nothing Unfinished behind. Once there is
/// something to save, the first only asks to stop, and the next Ctrl-C or SIGTERM ends the process. One that comes within a
/// tenth of a second of the first belongs to it: some senders reach a process directly and through its group. Signals that
/// were ignored when it was made, as nohup does with SIGHUP and a shell with the SIGINT of what runs in the background, stay
/// so. One watch at a time: signals belong to the process.
///
/// The signals are blocked in every thread but one that waits for them, so no handler ever interrupts a computation and what
/// it does needs no care. Threads that exist already would still be interrupted: make it before the first parallel work.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// From now on the first signal only asks.
  void first_one_asks() { first_asks_ = true; }
  /// Whether it did.
  bool asked() const { return first_ != 0; }
  /// 128 + that signal, as shells say it: 130 after Ctrl-C; 0 where none came.
  int exit_code() const { return asked() ? 128 + first_ : 0; }

 private:
  void restore();
  void wait_for_signals();
  void let_repetitions_pass() const;

  sigset_t signals_{}, ignored_{}, mask_before_{};
  struct sigaction pipe_before_ {};
  std::atomic<bool> first_asks_{false};
  std::atomic<int> first_{0};
  std::atomic<bool> done_{false};
  std::thread waiter_;
};

}  // namespace megalith::tool

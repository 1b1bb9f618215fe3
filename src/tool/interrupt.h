// SPDX-License-Identifier: Apache-2.0
// Ctrl-C, and SIGTERM, with which a system that shuts down or a batch queue asks the same.
#pragma once

namespace megalith::tool {

/// While one lives, the first signal only asks to stop. A Ctrl-C after that ends the process at once, with exit code 130;
/// another SIGTERM does not, since some senders reach a process twice. One at a time: a signal handler belongs to the process.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  /// Whether a signal came.
  bool asked() const;
  /// 128 + the first signal, as shells say it: 130 after Ctrl-C; 0 where none came.
  int exit_code() const;
};

}  // namespace megalith::tool

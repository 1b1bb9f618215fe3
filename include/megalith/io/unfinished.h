// SPDX-License-Identifier: Apache-2.0
// Removes half-made things, such as temporary files, before the process ends.
#pragma once

#include <functional>
#include <mutex>

namespace megalith {

/// Something begun that is of no use until it is finished, such as a file under a temporary name. It is undone when this
/// value is destroyed, and by undo_all(), for a program that a signal is about to end.
class Unfinished {
 public:
  /// Calls begin(). Where that throws, nothing is to be undone. `undo` may run on another thread, and must neither throw nor
  /// make or finish another Unfinished.
  Unfinished(const std::function<void()>& begin, std::function<void()> undo);
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished();

  /// Calls end(), after which nothing is to be undone any more. Where that throws, it still is.
  void finish(const std::function<void()>& end);

  /// Undoes all that is unfinished in this process, the latest first. While the lock that it returns is held, a thread that
  /// begins or finishes something waits: so nothing comes between the undoing and the end of the process. Not for signal
  /// handlers.
  [[nodiscard]] static std::unique_lock<std::mutex> undo_all();

 private:
  std::function<void()> undo_;  // empty: nothing to undo
};

}  // namespace megalith

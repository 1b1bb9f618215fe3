// SPDX-License-Identifier: Apache-2.0
// What nobody wants to find once the process is gone.
#pragma once

#include <functional>
#include <mutex>

namespace megalith {

/// Something that was begun and is no good before it is finished, such as a file under a temporary name. It is undone when
/// this value goes, and by undo_all(), which a program may call that a signal ends.
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

  /// Undoes all that is unfinished in this process, the latest first. Until the lock that it returns goes, whoever wants to
  /// begin or finish something waits: so nothing comes between the undoing and the end of the process. Not for signal
  /// handlers.
  [[nodiscard]] static std::unique_lock<std::mutex> undo_all();

 private:
  std::function<void()> undo_;  // empty: nothing to undo
};

}  // namespace megalith

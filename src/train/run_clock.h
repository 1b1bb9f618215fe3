// SPDX-License-Identifier: Apache-2.0
// The time of a run: a process that is stopped, by Ctrl-Z or SIGSTOP, does not train.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace megalith::detail {

/// Seconds that pass while the process runs. Nothing says how long a process was stopped: a thread of this clock looks at it
/// ten times a second, and where nobody has looked for a second, the process was not running.
class RunClock {
 public:
  /// Goes without the thread where none can be made: then a stop counts as time of the run.
  RunClock();
  ~RunClock();
  RunClock(const RunClock&) = delete;
  RunClock& operator=(const RunClock&) = delete;

  /// Seconds since the start.
  double now();

  /// The seconds to add to the clock, `since` the last look.
  static double counted(double since);

 private:
  void watch();
  double advance();

  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  double looked_;  // by the machine's clock
  double time_ = 0;
  std::thread watcher_;
};

}  // namespace megalith::detail

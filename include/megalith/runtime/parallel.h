// SPDX-License-Identifier: Apache-2.0
// Threads.
#pragma once

#include <cassert>
#include <memory>
#include <type_traits>

#include "megalith/core/shape.h"

namespace megalith {
namespace detail {

class TeamState;

}  // namespace detail

/// A caller and threads - 1 threads of the library's own, which help it. They start with the first call that has work for
/// them and end with the Team; in between they sleep, after a moment in which they look out for the next call.
///
/// The caller never waits for a thread that has not begun: where the cores are busy with other work, it does the tasks
/// itself. So a thread that cannot be started, for want of memory or by a limit on processes, is done without. After fork()
/// the child starts threads of its own. A Team serves one call at a time; several threads may each have one.
class Team {
 public:
  static constexpr int kMaxThreads = 4096;

  /// For 1 to kMaxThreads.
  explicit Team(int threads);
  ~Team();
  Team(Team&&) noexcept;
  Team& operator=(Team&&) noexcept;

  int threads() const { return threads_; }

  /// Calls f(i, thread) for each i in [0, n); thread is in [0, threads()), and 0 for the caller. Which thread gets which i
  /// is unspecified, so sums must be cut by the problem and never by the threads: then bits do not depend on their number. f
  /// must not throw, call this of the same Team, or wait for another i.
  ///
  /// Each thread begins with its own part of [0, n), the same in all calls with the same n, and then takes over what is left
  /// of the others' parts: a call finds in a core's caches what the one before has left there.
  template <class F>
  void parallel_for(Index n, F&& f) {
    using Task = std::remove_reference_t<F>;
    run(
        n, [](const void* task, Index i, int thread) { (*static_cast<Task*>(const_cast<void*>(task)))(i, thread); },
        std::addressof(f));
  }

 private:
  using Call = void (*)(const void* task, Index i, int thread);
  void run(Index n, Call call, const void* task);

  int threads_;
  std::unique_ptr<detail::TeamState> state_;
};

}  // namespace megalith

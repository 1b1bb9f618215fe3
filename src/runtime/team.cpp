// SPDX-License-Identifier: Apache-2.0
// Our own threads and not OpenMP's: DESIGN.md, section 10, says why.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "crowd.h"
#include "megalith/runtime/parallel.h"
#include "openmp.h"
#include "own_thread.h"
#include "region.h"

namespace megalith {
namespace detail {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// Waking a thread takes some ten microseconds, and most pauses between regions are shorter: a thread looks out for a while
// before it sleeps. No longer, since others may have work for its core.
constexpr microseconds kMemberSpin{100}, kCallerSpin{50};
// A thread that has lost its core in the middle of a task may be taken to the caller's, which is free now: Linux looks for
// such a thread whenever a core runs out of work, but passes over one that has run in the last half a millisecond. So the
// caller's sleep is a row of naps.
constexpr microseconds kCallerNap{500};
// Between two moves of a thread away from the caller's core.
constexpr microseconds kBetweenMoves{1000};

/// Waits until done() or until the time is over; whether it is done.
template <class Done>
bool spin(microseconds time, const Done& done) {
  constexpr int kLooks = 16;  // between two looks at the clock
  const auto until = Clock::now() + time;
  do {
    for (int i = 0; i < kLooks; ++i) {
      if (done()) return true;
      pause_processor();
    }
  } while (Clock::now() < until);
  return false;
}

/// How many times this process has come out of a fork(), which leaves all threads but one behind.
std::atomic<unsigned> forks{0};
void count_forks() {
  [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, [] { ++forks; });
}

}  // namespace

/// The threads of a team beside the caller, its members, and what they share with it.
class TeamState {
 public:
  explicit TeamState(int threads)
      : members_(std::make_unique<Member[]>(static_cast<std::size_t>(threads - 1))), forks_(forks) {
    for (int k = 1; k < threads; ++k) {
      member(k).team = this;
      member(k).number = k;
    }
  }
  ~TeamState() {
    if (lost()) return;
    gate_.stop();
    wake(started_);
    for (int k = 1; k <= started_; ++k) pthread_join(member(k).thread, nullptr);
  }
  TeamState(const TeamState&) = delete;
  TeamState& operator=(const TeamState&) = delete;

  /// Whether the threads are those of another process, of which this one is a fork.
  bool lost() const { return forks_ != forks; }

  /// Starts what a region of this size lacks. The system may refuse threads: then there are fewer, and it is not asked
  /// again.
  void start(int size) {
    while (started_ < size - 1 && !refused_) {
      Member& next = member(started_ + 1);
      const auto main = [](void* argument) -> void* {
        Member& me = *static_cast<Member*>(argument);
        me.team->run(me);
        return nullptr;
      };
      if (start_thread(next.thread, main, &next)) ++started_;
      else refused_ = true;
    }
  }

  void region(Index n, int size, Work::Call call, const void* task) noexcept {
    if (crowd_.works_alone(Clock::now(), core_use)) {
      for (Index i = 0; i < n; ++i) call(task, i, 0);
      return;
    }
    work_.set(n, size, call, task);
    callers_processor_.store(current_processor(), std::memory_order_relaxed);
    gate_.open(size);
    wake(std::min(size - 1, started_));
    work_.take_part(0);
    if (!gate_.close().empty()) wait_until_empty();
  }

 private:
  struct alignas(64) Member {
    std::atomic<int> asleep{0};  // 0 or 1: an int, since threads wait for one without a table that all programs share
    int number = 0;              // from 1 on; the caller is 0
    TeamState* team = nullptr;
    pthread_t thread{};
  };
  Member& member(int number) { return members_[static_cast<std::size_t>(number - 1)]; }

  /// What a member does.
  void run(Member& me) {
    thread_local KeepsCodeLoaded code;
    code.hold();
    const WithoutOpenMpTeams without;
    run_on_all_places();
    std::uint32_t last = 0;
    auto moved = Clock::now();
    for (;;) {
      Gate::View seen = wait_for_region(me, last);
      if (seen.stop()) return;
      leave_the_callers_processor(moved);
      while (seen.open_to(me.number, last)) {
        if (!gate_.enter(seen)) continue;
        last = seen.region();
        work_.take_part(me.number);
        leave();
      }
    }
  }

  /// Two threads on one core do less than one. Where all cores are busy Linux may put them so, next to a core that has only
  /// the work of another program, and finds nothing to mend, since one of the cores has two threads either way.
  void leave_the_callers_processor(Clock::time_point& moved) const {
    const int processor = current_processor();
    if (processor != callers_processor_.load(std::memory_order_relaxed)) return;
    const auto now = Clock::now();
    if (now - moved < kBetweenMoves) return;
    leave_processor(processor);
    moved = now;
  }

  void leave() {
    const Gate::View left = gate_.leave();
    if (!left.empty() || !left.closed() || !caller_sleeps_) return;
    { const std::lock_guard lock(mutex_); }  // not between the caller's last look and its sleep
    emptied_.notify_one();
  }

  /// Waits for a region other than `last`, or the end.
  Gate::View wait_for_region(Member& me, std::uint32_t last) {
    Gate::View seen = gate_.view();
    const auto is_for_me = [&] {
      seen = gate_.view();
      return seen.stop() || seen.open_to(me.number, last);
    };
    while (!spin(kMemberSpin, is_for_me)) {
      me.asleep = 1;
      ++sleepers_;
      // The caller opens a region and then asks who sleeps: one of the two sees the other.
      if (is_for_me()) {
        if (me.asleep.exchange(0) == 1) --sleepers_;
        break;
      }
      me.asleep.wait(1);
    }
    return seen;
  }

  /// Wakes members up to this one.
  void wake(int last) {
    if (sleepers_ == 0) return;
    for (int k = 1; k <= last; ++k) {
      Member& m = member(k);
      if (m.asleep == 0 || m.asleep.exchange(0) == 0) continue;
      --sleepers_;
      m.asleep.notify_one();
    }
  }

  void wait_until_empty() {
    const auto empty = [&] { return gate_.view().empty(); };
    if (spin(kCallerSpin, empty)) return;
    std::unique_lock lock(mutex_);
    caller_sleeps_ = true;
    while (!empty()) emptied_.wait_for(lock, kCallerNap);
    caller_sleeps_ = false;
  }

  Work work_;
  Gate gate_;
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<int> callers_processor_{-1};
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::unique_ptr<Member[]> members_;
  Crowd crowd_;
  int started_ = 0;
  bool refused_ = false;
  const unsigned forks_;
};

}  // namespace detail

Team::Team(int threads) : threads_(threads) {
  static_assert(kMaxThreads <= detail::Gate::kMaxSize);
  assert(threads >= 1 && threads <= kMaxThreads);
  detail::count_forks();
  if (threads > 1) state_ = std::make_unique<detail::TeamState>(threads);
}
Team::~Team() = default;
Team::Team(Team&&) noexcept = default;
Team& Team::operator=(Team&&) noexcept = default;

void Team::run(Index n, Call call, const void* task) {
  if (n <= 0) return;
  const detail::WithoutOpenMpTeams without;
  const int size = static_cast<int>(std::min<Index>(n, threads_));
  if (size == 1) {  // without a region
    for (Index i = 0; i < n; ++i) call(task, i, 0);
    return;
  }
  if (state_->lost()) state_ = std::make_unique<detail::TeamState>(threads_);
  state_->start(size);
  state_->region(n, size, call, task);
}

}  // namespace megalith

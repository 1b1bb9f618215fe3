// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "megalith/runtime/processors.h"
#include "runtime/region.h"
#include "support/sanitized.h"

namespace megalith {
namespace {

/// Two tasks that go on once both are under way, so that two threads are inside at once. On a crowded machine the caller may
/// do both alone, one after the other (Crowd): then they are tried again.
void meet(Team& team, const std::function<void(int)>& then) {
  using Clock = std::chrono::steady_clock;
  std::atomic<bool> met = false;
  while (!met) {
    std::atomic<int> inside = 0;
    team.parallel_for(2, [&](Index, int thread) {
      if (++inside == 2) met = true;
      const auto until = Clock::now() + std::chrono::milliseconds(100);
      while (!met && Clock::now() < until) std::this_thread::yield();
      if (met) then(thread);
      --inside;
    });
  }
}

/// The exit code of f() in a fork of this process; 128 + the signal that ended it.
int in_a_fork(const std::function<int()>& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(f());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int threads_of_this_process() {
  int n = 0;
  for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

TEST(Team, VisitsEachIndexOnceOnKnownThreads) {
  for (const int threads : {1, 2, 3, 7, 33, 70}) {
    Team team(threads);
    for (const Index n : {0, 1, 2, 100, 3}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
      std::atomic<bool> known = true;
      team.parallel_for(n, [&](Index i, int thread) {
        ++visits[static_cast<std::size_t>(i)];
        if (thread < 0 || thread >= threads) known = false;
      });
      for (const auto& v : visits) EXPECT_EQ(v, 1);
      EXPECT_TRUE(known);
    }
  }
}

TEST(Team, EachCallIsDoneWhenItReturns) {
  // Regions in quick succession, and some after threads have gone to sleep: no task is left for later, none is done twice.
  Team team(5);
  std::vector<Index> sums(16);
  for (Index call = 0; call < 20000; ++call) {
    if (call % 2000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    team.parallel_for(1 + call % 16, [&](Index i, int) { sums[static_cast<std::size_t>(i)] += call; });
  }
  for (Index i = 0; i < 16; ++i) {
    Index expected = 0;
    for (Index call = 0; call < 20000; ++call)
      if (i <= call % 16) expected += call;
    EXPECT_EQ(sums[static_cast<std::size_t>(i)], expected);
  }
}

TEST(Team, EachThreadBeginsWithItsOwnPart) {
  for (int run = 0; run < 20; ++run) {
    Team team(2);
    std::atomic<int> begun = 0;
    std::vector<int> done_by(2, -1);
    team.parallel_for(2, [&](Index i, int thread) {
      for (++begun; begun < 2;) std::this_thread::yield();
      done_by[static_cast<std::size_t>(i)] = thread;
    });
    EXPECT_EQ(done_by, (std::vector{0, 1}));
  }
}

TEST(Team, ThreadsHelpWithTheOthersParts) {
  // The first task ends only when all others have: whoever does it, the rest of its part is done by others.
  Team team(2);
  std::atomic<int> done = 0;
  team.parallel_for(100, [&](Index i, int) {
    while (i == 0 && done < 99) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 100);
}

TEST(Team, NoTwoCallsHaveOneThreadNumber) {
  // Each call has a thread number, and with it an arena, to itself.
  Team team(8);
  std::vector<std::atomic<int>> inside(8);
  std::atomic<bool> alone = true;
  for (int call = 0; call < 100; ++call)
    team.parallel_for(200, [&](Index, int thread) {
      if (inside[static_cast<std::size_t>(thread)]++ != 0) alone = false;
      inside[static_cast<std::size_t>(thread)]--;
    });
  EXPECT_TRUE(alone);
}

// What keeps a caller from waiting for threads that have not begun.
TEST(Gate, AThreadThatComesLateStaysOutside) {
  detail::Gate gate;
  gate.open(3);
  detail::Gate::View seen = gate.view();
  EXPECT_TRUE(seen.open_to(1, 0));
  EXPECT_TRUE(seen.open_to(2, 0));
  EXPECT_FALSE(seen.open_to(3, 0));
  EXPECT_TRUE(gate.close().empty());
  EXPECT_FALSE(gate.enter(seen));
  EXPECT_FALSE(seen.open_to(1, 0));
  EXPECT_TRUE(gate.view().empty());

  gate.open(3);
  seen = gate.view();
  gate.close();
  gate.open(2);
  EXPECT_FALSE(gate.enter(seen));  // of the region before; what it has seen now is the next one
  EXPECT_TRUE(seen.open_to(1, 1));
  EXPECT_TRUE(gate.enter(seen));
  EXPECT_FALSE(gate.view().empty());
}

TEST(Gate, ThoseWhoCameInAreWaitedFor) {
  detail::Gate gate;
  gate.open(3);
  for (int k = 0; k < 2; ++k) {
    detail::Gate::View seen = gate.view();
    EXPECT_TRUE(gate.enter(seen));
    EXPECT_FALSE(seen.open_to(1, seen.region()));  // not twice
  }
  EXPECT_FALSE(gate.leave().empty());
  EXPECT_FALSE(gate.close().empty());
  const detail::Gate::View left = gate.leave();
  EXPECT_TRUE(left.empty());
  EXPECT_TRUE(left.closed());
  gate.stop();
  EXPECT_TRUE(gate.view().stop());
  EXPECT_FALSE(gate.view().open_to(1, 0));
}

TEST(Team, SeveralThreadsHaveTeamsOfTheirOwn) {
  std::vector<Index> sums(4);
  {
    std::vector<std::jthread> callers;
    for (std::size_t c = 0; c < sums.size(); ++c)
      callers.emplace_back([&sums, c] {
        Team team(3);
        std::vector<Index> parts(50);
        for (int call = 0; call < 500; ++call)
          team.parallel_for(50, [&](Index i, int) { parts[static_cast<std::size_t>(i)] += i; });
        for (const Index part : parts) sums[c] += part;
      });
  }
  for (const Index sum : sums) EXPECT_EQ(sum, 500 * 49 * 25);
}

TEST(Team, LeavesOpenMpAsItWas) {
  omp_set_num_threads(5);
  std::atomic<bool> single = true;
  for (const int threads : {3, 1}) {
    Team team(threads);
    team.parallel_for(10, [&](Index, int) {
      if (omp_get_max_threads() != 1) single = false;  // libraries called from here start no threads
    });
    EXPECT_TRUE(single);
    EXPECT_EQ(omp_get_max_threads(), 5);
  }
}

TEST(Team, WorksInsideARegionOfOpenMps) {
  std::vector<Index> sums(3, -1);  // OpenMP may give fewer threads
#pragma omp parallel num_threads(3)
  {
    Team team(2);
    std::vector<Index> own(10);
    team.parallel_for(10, [&](Index i, int) { own[static_cast<std::size_t>(i)] = i; });
    Index sum = 0;
    for (const Index i : own) sum += i;
    sums[static_cast<std::size_t>(omp_get_thread_num())] = sum;
  }
  EXPECT_EQ(sums[0], 45);
  for (const Index sum : sums) EXPECT_TRUE(sum == 45 || sum == -1);
}

TEST(Team, MayBeMoved) {
  Team a(2);
  meet(a, [](int) {});
  Team b(std::move(a));
  meet(b, [](int) {});
  Team c(3);
  c = std::move(b);
  meet(c, [](int) {});
  EXPECT_EQ(c.threads(), 2);
}

TEST(Team, StartsNoThreadBeforeThereIsWorkAndLeavesNone) {
  const int before = threads_of_this_process();
  {
    Team team(4);
    team.parallel_for(1, [](Index, int) {});
    EXPECT_EQ(threads_of_this_process(), before);
    meet(team, [](int) {});
    EXPECT_EQ(threads_of_this_process(), before + 1);
  }
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(Team, WorksInAFork) {
  Team team(3);
  meet(team, [](int) {});
  EXPECT_EQ(in_a_fork([&] {
              for (int i = 0; i < 3; ++i) meet(team, [](int) {});  // on threads of its own
              const int threads = threads_of_this_process();
              Team another(2);
              meet(another, [](int) {});
              return threads == 2 ? 0 : 1;
            }),
            0);
  EXPECT_EQ(in_a_fork([&] {
              const Team unused = std::move(team);  // whose threads are the parent's
              return 0;
            }),
            0);
  meet(team, [](int) {});
}

TEST(Team, DoesWithoutThreadsThatCannotBeStarted) {
#if MEGALITH_SANITIZED || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs addresses itself";
#else
  EXPECT_EQ(in_a_fork([] {
              std::string pages;
              std::ifstream("/proc/self/statm") >> pages;
              const rlim_t used = std::stoul(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
              const rlimit limit{used + (1 << 20), used + (1 << 20)};  // no room for another stack
              ::setrlimit(RLIMIT_AS, &limit);
              Team team(4);
              int done = 0;
              for (int call = 0; call < 3; ++call) team.parallel_for(10, [&](Index, int thread) { done += thread == 0; });
              return done == 30 ? 0 : 1;
            }),
            0);
#endif
}

TEST(Team, SignalsAreForTheProgramsThreads) {
  Team team(2);
  std::atomic<int> wrong = 0;
  meet(team, [&](int thread) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (const int signal : {SIGINT, SIGUSR1, SIGALRM, SIGCHLD})
      if (sigismember(&blocked, signal) != (thread == 1 ? 1 : 0)) ++wrong;
    if (sigismember(&blocked, SIGSEGV) != 0) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

// Also run with OMP_PROC_BIND, under which OpenMP puts the program's first thread on one processor.
TEST(Team, ItsThreadsMayUseAllProcessors) {
  Team team(2);
  std::atomic<int> processors = 0;
  meet(team, [&](int thread) {
    cpu_set_t mine;
    if (thread == 1 && sched_getaffinity(0, sizeof(mine), &mine) == 0) processors = CPU_COUNT(&mine);
  });
  EXPECT_EQ(processors, available_processors());
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace megalith {
namespace {

TEST(ParallelFor, VisitsEachIndexOnceOnKnownThreads) {
  for (const int threads : {1, 2, 3, 7, 33, 70}) {
    for (const Index n : {0, 1, 2, 100}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
      std::atomic<bool> known = true;
      parallel_for(threads, n, [&](Index i, int thread) {
        ++visits[static_cast<std::size_t>(i)];
        if (thread < 0 || thread >= threads) known = false;
      });
      for (const auto& v : visits) EXPECT_EQ(v, 1);
      EXPECT_TRUE(known);
    }
  }
}

TEST(ParallelFor, EachThreadBeginsWithItsOwnPart) {
  if (omp_get_thread_limit() < 2 || omp_get_dynamic() != 0) GTEST_SKIP() << "OpenMP may give one thread only";
  // Both tasks are under way at once, so that no thread may help the other.
  for (int run = 0; run < 20; ++run) {
    std::atomic<int> begun = 0;
    std::vector<int> done_by(2, -1);
    parallel_for(2, 2, [&](Index i, int thread) {
      for (++begun; begun < 2;) std::this_thread::yield();
      done_by[static_cast<std::size_t>(i)] = thread;
    });
    EXPECT_EQ(done_by, (std::vector{0, 1}));
  }
}

TEST(ParallelFor, ThreadsHelpWithTheOthersParts) {
  if (omp_get_thread_limit() < 2 || omp_get_dynamic() != 0) GTEST_SKIP() << "OpenMP may give one thread only";
  // The first task ends only when all others have: whoever does it, the rest of its part is done by others.
  std::atomic<int> done = 0;
  parallel_for(2, 100, [&](Index i, int) {
    while (i == 0 && done < 99) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 100);
}

TEST(ParallelFor, NoTwoCallsHaveOneThreadNumber) {
  // Each call has a thread number, and with it an arena, to itself.
  std::vector<std::atomic<int>> inside(8);
  std::atomic<bool> alone = true;
  parallel_for(8, 2000, [&](Index, int thread) {
    if (inside[static_cast<std::size_t>(thread)]++ != 0) alone = false;
    inside[static_cast<std::size_t>(thread)]--;
  });
  EXPECT_TRUE(alone);
}

TEST(ParallelFor, LeavesTheCallersSettings) {
  omp_set_num_threads(5);
  std::atomic<bool> single = true;
  parallel_for(3, 10, [&](Index, int) {
    if (omp_get_max_threads() != 1) single = false;  // libraries called from here start no threads
  });
  EXPECT_TRUE(single);
  EXPECT_EQ(omp_get_max_threads(), 5);
  parallel_for(1, 10, [&](Index, int) {
    if (omp_get_max_threads() != 1) single = false;
  });
  EXPECT_TRUE(single);
  EXPECT_EQ(omp_get_max_threads(), 5);
}

TEST(AvailableProcessors, IsPositive) { EXPECT_GE(available_processors(), 1); }

}  // namespace
}  // namespace megalith

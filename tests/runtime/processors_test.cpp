// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/processors.h"

#include <gtest/gtest.h>

#include "megalith/runtime/parallel.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// The files of a machine whose processors 0 to 3 are two cores with two threads each, numbered as most machines do: 0 and 2
/// are one core.
struct Processors : ::testing::Test {
  Processors() {
    for (int i = 0; i < 4; ++i) topology(i, "core_cpus_list", i % 2 == 0 ? "0,2\n" : "1,3\n");
    allow("0-3");
  }
  void topology(int processor, const std::string& file, const std::string& content) {
    machine.write("sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/" + file, content);
  }
  void allow(const std::string& list) {
    machine.write("proc/self/status", "Name:\tmegalith\nCpus_allowed:\tf\nCpus_allowed_list:\t" + list + "\nThreads:\t1\n");
  }
  int cores(int processors) const { return detail::count_cores(machine.path(), processors); }

  TemporaryFolder machine;
};

TEST_F(Processors, ThreadsOfACoreCountOnce) { EXPECT_EQ(cores(4), 2); }

TEST_F(Processors, OnlyThoseOfTheMaskCount) {
  allow("0,2");
  EXPECT_EQ(cores(2), 1);
  allow("0-1");
  EXPECT_EQ(cores(2), 2);
  allow("3");
  EXPECT_EQ(cores(1), 1);
}

TEST(ProcessorFiles, OlderSystemsHaveAnotherName) {
  const TemporaryFolder old;
  old.write("proc/self/status", "Cpus_allowed_list:\t0-1\n");
  for (const char* processor : {"cpu0", "cpu1"})
    old.write("sys/devices/system/cpu/" + std::string(processor) + "/topology/thread_siblings_list", "0-1\n");
  EXPECT_EQ(detail::count_cores(old.path(), 2), 1);
}

TEST(ProcessorFiles, EveryProcessorCountsWithoutThem) {
  const TemporaryFolder bare;
  EXPECT_EQ(detail::count_cores(bare.path(), 6), 6);
  bare.write("proc/self/status", "Cpus_allowed_list:\t0-2\n");  // no topology
  EXPECT_EQ(detail::count_cores(bare.path(), 3), 3);
  bare.write("proc/self/status", "Cpus_allowed_list:\tall of them\n");
  EXPECT_EQ(detail::count_cores(bare.path(), 6), 6);
}

// OMP_PROC_BIND leaves the first thread a mask of its own, which says nothing of the others.
TEST_F(Processors, AMaskOfOneThreadIsNotThatOfTheProcess) {
  allow("0");
  EXPECT_EQ(cores(4), 4);
}

TEST_F(Processors, LimitsOnTimeCount) {
  machine.write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(cores(4), 1);
  machine.write("sys/fs/cgroup/cpu.max", "150000 100000\n");  // a part of a processor is one more thread
  EXPECT_EQ(cores(4), 2);
  machine.write("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(cores(4), 1);
}

TEST_F(Processors, LimitsOfTheGroupsAroundCount) {
  machine.write("proc/self/cgroup", "9:name=other:/\n0::/user/session\n");
  machine.write("sys/fs/cgroup/user/session/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write("sys/fs/cgroup/user/cpu.max", "50000 100000\n");
  EXPECT_EQ(cores(4), 1);
}

TEST(AvailableCores, AreAtMostTheProcessors) {
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), available_processors());
}

}  // namespace
}  // namespace megalith

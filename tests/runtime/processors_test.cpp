// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/processors.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <locale>

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
  machine.write("sys/fs/cgroup/cpu.max",
                "199000 100000\n");  // of 1.99 processors a second thread would use up the first's time
  EXPECT_EQ(cores(4), 1);
  machine.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(cores(4), 1);
}

/// Groups of three digits with blanks between them, as in French.
struct Blanks : std::numpunct<char> {
  char do_thousands_sep() const override { return ' '; }
  std::string do_grouping() const override { return "\3"; }
};

TEST_F(Processors, LimitsOnTimeCountInEachLocale) {
  machine.write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Blanks));
  EXPECT_EQ(cores(4), 1);
  std::locale::global(before);
}

TEST_F(Processors, LimitsOfTheGroupsAroundCount) {
  machine.write("proc/self/cgroup", "9:name=other:/\n0::/user/session\n");
  machine.write("sys/fs/cgroup/user/session/cpu.max", "max 100000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write("sys/fs/cgroup/user/cpu.max", "50000 100000\n");
  EXPECT_EQ(cores(4), 1);
}

TEST_F(Processors, LimitsOfVersion1Count) {
  machine.write("proc/self/cgroup", "12:memory:/jobs/a\n4:cpu,cpuacct:/jobs/a\n1:name=systemd:/user\n0::/user\n");
  const std::string tree = "sys/fs/cgroup/cpu,cpuacct/";
  machine.write(tree + "jobs/a/cpu.cfs_quota_us", "-1\n");
  machine.write(tree + "jobs/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write(tree + "jobs/a/cpu.cfs_quota_us", "199000\n");
  EXPECT_EQ(cores(4), 1);
  machine.write(tree + "jobs/a/cpu.cfs_quota_us", "200000\n");
  EXPECT_EQ(cores(4), 2);
  machine.write(tree + "jobs/cpu.cfs_quota_us", "20000\n");
  machine.write(tree + "jobs/cpu.cfs_period_us", "50000\n");  // of the group around
  EXPECT_EQ(cores(4), 1);
}

// A container knows its group by the path outside, and has only the root of its own tree.
TEST_F(Processors, LimitsOfVersion1CountInAContainer) {
  machine.write("proc/self/cgroup", "3:cpuacct,cpu:/docker/5f2e\n");
  machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores(4), 1);
}

TEST(DefaultThreads, AreThoseThatTheEnvironmentAsksFor) {
  using detail::threads_asked_for;
  EXPECT_EQ(threads_asked_for("3"), 3);
  EXPECT_EQ(threads_asked_for(" 4 "), 4);
  EXPECT_EQ(threads_asked_for("2,8"), 2);  // the second number is for regions inside of regions
  EXPECT_EQ(threads_asked_for("4096"), 4096);
  for (const char* wrong : {"", " ", "0", "-2", "4097", "99999999999999999999", "2x", "two", "1.5", ",2", "0x2", "+2"})
    EXPECT_EQ(threads_asked_for(wrong), 0) << '"' << wrong << '"';
  EXPECT_EQ(threads_asked_for(nullptr), 0);

  ::setenv("OMP_NUM_THREADS", "7", 1);
  EXPECT_EQ(default_threads(), 7);
  ::setenv("OMP_NUM_THREADS", "many", 1);
  EXPECT_EQ(default_threads(), available_cores());
  ::unsetenv("OMP_NUM_THREADS");
  EXPECT_EQ(default_threads(), available_cores());
}

TEST(AvailableCores, AreAtMostTheProcessors) {
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), available_processors());
}

}  // namespace
}  // namespace megalith

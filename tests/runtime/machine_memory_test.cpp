// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/machine_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(MachineMemory, IsTheLeastThatAnythingAllows) {
  const TemporaryFolder machine;
  EXPECT_EQ(detail::free_memory(machine.path()), HUGE_VAL) << "no file says";
  machine.write("proc/meminfo", "MemTotal:  5000 kB\nMemAvailable:    900 kB\nSwapFree:       100 kB\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 1024000);
  machine.write("proc/self/cgroup", "0::/outer/inner\n");
  machine.write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 1024000);
  machine.write("sys/fs/cgroup/outer/memory.max", "500000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 500000);
  machine.write("sys/fs/cgroup/outer/inner/memory.max", "600000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 500000);
  machine.write("sys/fs/cgroup/outer/memory.current", "300000\n");
  machine.write("sys/fs/cgroup/outer/memory.stat", "anon 90000\nfile 210000\ninactive_file 150000\nactive_file 50000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 400000) << "cached files can be dropped, the rest is taken";
}

TEST(MachineMemory, GroupsOfVersion1) {
  const TemporaryFolder machine;
  machine.write("proc/meminfo", "MemAvailable:    900 kB\nSwapFree:       100 kB\n");
  machine.write("proc/self/cgroup", "5:cpu:/a\n4:memory:/outer/inner\n0::/\n");
  machine.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 1024000);
  machine.write("sys/fs/cgroup/memory/outer/memory.limit_in_bytes", "800000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 800000);
  machine.write("sys/fs/cgroup/memory/outer/memory.usage_in_bytes", "500000\n");
  machine.write("sys/fs/cgroup/memory/outer/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 400000);
  machine.write("sys/fs/cgroup/memory/outer/memory.usage_in_bytes", "2000000\n");
  EXPECT_EQ(detail::free_memory(machine.path()), 0);
}

TEST(MachineMemory, WhatIsEstimatedMustBeThere) {
  const double free = free_memory();
  if (!std::isfinite(free)) GTEST_SKIP() << "this system does not say";
  EXPECT_THROW(check_memory("a model", 1.1 * free), Error);
}

TEST(MachineMemory, ALimitOfTheProcessCounts) {
  if (std::getenv("ASAN_OPTIONS") != nullptr) GTEST_SKIP() << "a sanitizer takes terabytes of addresses";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const rlimit lower{rlim_t{3} << 30, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &lower), 0);
  const double free = free_memory();
  const std::string message = error_of([] { check_memory("this model", 5e12); });
  ::setrlimit(RLIMIT_AS, &before);
  EXPECT_LE(free, 3.0 * (1 << 30));
  EXPECT_NE(message.find("this model takes about 5000000 MB of memory, and "), message.npos) << message;
  EXPECT_NO_THROW(check_memory("this model", 1e6));
}

}  // namespace
}  // namespace megalith

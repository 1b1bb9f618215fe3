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

// SPDX-License-Identifier: Apache-2.0
// How many threads are worth starting.
#pragma once

#include <filesystem>

namespace megalith {

/// The number of processors that this process may use.
int available_processors();

/// The number of physical cores that this process may use: two threads on one core share its arithmetic units. Processors
/// outside of the process's affinity mask, which taskset or a container's cpuset sets, do not count, and a limit of cgroups
/// (version 1 or 2) on processor time caps the number: with a limit of 2.5 processors a third thread would only use up the
/// others' time sooner. At least 1. Where the system does not say, available_processors().
int available_cores();

/// The number of threads by default: the environment variable OMP_NUM_THREADS where it is set (the first of its numbers, if
/// there are several), else available_cores(). A value that is no number from 1 to 4,096 counts as not set.
int default_threads();

namespace detail {

/// available_cores() from the files under `root` (/proc/self, /sys/devices/system/cpu, /sys/fs/cgroup). `processors` is the
/// number that the calling thread may use. It is taken where the files do not say, and where the mask in them has fewer
/// processors: that is the mask of one thread, such as OMP_PROC_BIND sets.
int count_cores(const std::filesystem::path& root, int processors);

/// The number of threads that a value of OMP_NUM_THREADS asks for; 0 for null and for what is no such value.
int threads_asked_for(const char* value);

}  // namespace detail
}  // namespace megalith

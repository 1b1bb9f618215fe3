// SPDX-License-Identifier: Apache-2.0
// How many threads are worth starting.
#pragma once

#include <filesystem>

namespace megalith {

/// The number of physical cores that this process may use, the best number of threads by default: two threads on one core
/// share its arithmetic units. Processors outside of the process's affinity mask, which taskset or a container's cpuset
/// sets, do not count, and a limit of cgroup v2 on processor time caps the number. Where the system does not say,
/// available_processors().
int available_cores();

namespace detail {

/// The same from the files under `root` (/proc/self, /sys/devices/system/cpu, /sys/fs/cgroup). `processors` is the number
/// that the calling thread may use. It is taken where the files do not say, and where the mask in them has fewer processors:
/// that is the mask of one thread, such as OMP_PROC_BIND sets.
int count_cores(const std::filesystem::path& root, int processors);

}  // namespace detail
}  // namespace megalith

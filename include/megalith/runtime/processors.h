// SPDX-License-Identifier: Apache-2.0
// How many threads are worth starting.
#pragma once

#include <filesystem>

namespace megalith {

/// The physical cores that this process may use: what computing is best spread over by default, since two threads of one
/// core share its arithmetic. Processors outside of the process's affinity mask, as taskset or a container's cpuset sets it,
/// do not count, and a limit of cgroup v2 on processor time caps the number. Where the system does not tell,
/// available_processors().
int available_cores();

namespace detail {

/// The same from the files under `root` (/proc/self, /sys/devices/system/cpu, /sys/fs/cgroup), with `processors` where they
/// do not tell, and for a mask of fewer than them: a mask of this thread alone, such as OMP_PROC_BIND sets.
int count_cores(const std::filesystem::path& root, int processors);

}  // namespace detail
}  // namespace megalith

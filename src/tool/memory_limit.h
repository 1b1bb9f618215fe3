// SPDX-License-Identifier: Apache-2.0
// Refuses what does not fit into memory, before any of it is taken: afterwards the system may end the process, or another.
#pragma once

#include <string>

namespace megalith::tool {

/// Bytes of memory that this process may still take: what is free or can be freed, swap too, within the limits of the
/// process (ulimit -v) and of its cgroup. Infinite where the system does not tell.
double free_memory();

/// Throws Error where `bytes`, an estimate that may be a seventh too high, are more than that. `what` takes them, as in
/// "training this model".
void check_memory(const std::string& what, double bytes);

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// How much memory there is.
#pragma once

#include <filesystem>
#include <string>

namespace megalith {

/// Bytes of memory that this process can still allocate: what the machine has free or can free, with swap, within the limits
/// of the process's cgroups (version 1 or 2) and its own (ulimit -v). Infinite where the system does not say.
double free_memory();

/// Throws Error if `what`, such as "training this model", needs more than that. Ask before allocating: a system may grant
/// memory that it does not have, and then ends a process that uses it.
void check_memory(const std::string& what, double bytes);

namespace detail {

/// free_memory() without the process's own limits, from the files under `root`, which is / but in tests.
double free_memory(const std::filesystem::path& root);

}  // namespace detail
}  // namespace megalith

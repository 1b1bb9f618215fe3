// SPDX-License-Identifier: Apache-2.0
// How much memory there is.
#pragma once

#include <filesystem>
#include <string>

namespace megalith {

/// Bytes of memory that this process may still take: what the machine has free or can free, swap too, within what the cgroups
/// around the process (version 2) and its own limits (ulimit -v) allow. Infinite where the system does not tell.
double free_memory();

/// Throws Error where `bytes`, an estimate that may be a seventh too high, are more than that: before memory is asked for
/// that a system may promise and not have. `what` takes it, as in "training this model".
void check_memory(const std::string& what, double bytes);

namespace detail {

/// The same without the limits of the process, from the files under `root`.
double free_memory(const std::filesystem::path& root);

}  // namespace detail
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/machine_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <system_error>

#include "megalith/core/check.h"
#include "system_files.h"

namespace megalith {
namespace detail {
namespace {

/// The number at the start of a text; infinite where there is none, as in "max".
double number_in(const std::string& text) {
  double number = 0;
  const std::size_t start = std::min(text.find_first_not_of(" \t"), text.size());
  const auto [end, problem] = std::from_chars(text.data() + start, text.data() + text.size(), number);
  return problem == std::errc{} ? number : HUGE_VAL;
}

double number_or_0(const std::string& text) {
  const double number = number_in(text);
  return std::isfinite(number) ? number : 0;
}

/// How a version of cgroups says what a group may take, what it has, and what of that are cached files, which the system can
/// drop.
struct GroupFiles {
  const char *limit, *used, *files;
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", ""};

/// What a group can still take; infinite where nothing limits it.
double left_of_group(const std::filesystem::path& group, const GroupFiles& names) {
  const double limit = number_in(first_line(group / names.limit)), used = number_or_0(first_line(group / names.used));
  double files = 0;
  for (const char* kind : {"inactive_file ", "active_file "})
    files += number_or_0(line_after(group / "memory.stat", names.files + std::string(kind)));
  return limit - std::max(0.0, used - files);
}

}  // namespace

double free_memory(const std::filesystem::path& root) {
  const std::filesystem::path meminfo = root / "proc/meminfo";
  const double swap = number_in(line_after(meminfo, "SwapFree:"));
  double limit = 1024 * (number_in(line_after(meminfo, "MemAvailable:")) + (std::isfinite(swap) ? swap : 0));
  for_each_cgroup(root,
                  [&](const std::filesystem::path& group) { limit = std::min(limit, left_of_group(group, kVersion2)); });
  for_each_cgroup_of_version_1(
      root, "memory", [&](const std::filesystem::path& group) { limit = std::min(limit, left_of_group(group, kVersion1)); });
  return std::max(0.0, limit);
}

}  // namespace detail

double free_memory() {
  double free = detail::free_memory("/");
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const double pages = detail::number_in(detail::first_line("/proc/self/statm"));
    const double taken = std::isfinite(pages) ? pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
    free = std::min(free, std::max(0.0, static_cast<double>(limit.rlim_cur) - taken));
  }
  return free;
}

void check_memory(const std::string& what, double bytes) {
  const double available = free_memory();
  if (bytes <= available) return;
  throw Error(text(std::fixed, std::setprecision(0), what, " takes about ", bytes * 1e-6, " MB of memory, and ",
                   available * 1e-6, " MB can be had; take a smaller model, batch or length"));
}

}  // namespace megalith

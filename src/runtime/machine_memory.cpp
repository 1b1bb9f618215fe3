// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/machine_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "megalith/core/check.h"
#include "system_files.h"

namespace megalith {
namespace detail {
namespace {

/// The number at the start of a text; infinite where there is none, as in "max".
double number_in(const std::string& text) {
  double number = 0;
  std::istringstream in(text);
  return in >> number ? number : HUGE_VAL;
}

}  // namespace

double free_memory(const std::filesystem::path& root) {
  const std::filesystem::path meminfo = root / "proc/meminfo";
  const double swap = number_in(line_after(meminfo, "SwapFree:"));
  double limit = 1024 * (number_in(line_after(meminfo, "MemAvailable:")) + (std::isfinite(swap) ? swap : 0));
  // What a group has used does not count: it may be cached files, which the system can drop.
  for_each_cgroup(root, [&](const std::filesystem::path& group) {
    limit = std::min(limit, number_in(first_line(group / "memory.max")));
  });
  return limit;
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
  constexpr double kMinShare = 0.85;  // of an estimate that is surely needed
  const double available = free_memory();
  if (kMinShare * bytes <= available) return;
  std::ostringstream words;
  words << std::fixed << std::setprecision(0) << what << " takes about " << bytes * 1e-6 << " MB of memory, and "
        << available * 1e-6 << " MB can be had; take a smaller model, batch or length";
  throw Error(words.str());
}

}  // namespace megalith

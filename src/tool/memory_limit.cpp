// SPDX-License-Identifier: Apache-2.0
#include "memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "megalith/core/check.h"
#include "table.h"

namespace megalith::tool {
namespace {

namespace fs = std::filesystem;

/// The number behind a word at the start of a line, or the first of the file where the word is empty; infinite where there
/// is none.
double number_in(const fs::path& path, const std::string& word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) try {
      if (line.starts_with(word)) return std::stod(line.substr(word.size()));
    } catch (const std::exception&) {
      return HUGE_VAL;  // "max"
    }
  return HUGE_VAL;
}

/// What the machine has left.
double of_machine() {
  const double swap = number_in("/proc/meminfo", "SwapFree:");
  return 1024 * (number_in("/proc/meminfo", "MemAvailable:") + (std::isfinite(swap) ? swap : 0));
}

/// What `ulimit -v` leaves.
double of_process() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return HUGE_VAL;
  const double taken = number_in("/proc/self/statm", "") * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::isfinite(taken) ? std::max(0.0, static_cast<double>(limit.rlim_cur) - taken) : HUGE_VAL;
}

/// The limit of the cgroup (version 2) and of those around it. What is taken of it may be files that can be dropped, so it
/// does not count.
double of_group() {
  std::string group;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::/")) group = line.substr(4);
  double least = HUGE_VAL;
  const fs::path root = "/sys/fs/cgroup";
  for (fs::path path = root / group;; path = path.parent_path()) {
    least = std::min(least, number_in(path / "memory.max", ""));
    if (path == root || !path.has_relative_path()) return least;
  }
}

}  // namespace

double free_memory() { return std::min({of_machine(), of_process(), of_group()}); }

void check_memory(const std::string& what, double bytes) {
  constexpr double kSurely = 0.85;  // of an estimate
  const double available = free_memory();
  check(kSurely * bytes <= available, what, " takes about ", fixed(bytes * 1e-6, 0), " MB of memory, and ",
        fixed(available * 1e-6, 0), " MB can be had; take a smaller model, batch or length");
}

}  // namespace megalith::tool

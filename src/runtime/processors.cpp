// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/processors.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "megalith/runtime/parallel.h"
#include "system_files.h"

namespace megalith {
namespace detail {
namespace {

namespace fs = std::filesystem;

/// "0-2,5" as 0, 1, 2, 5; empty where the text is not such a list.
std::vector<int> listed(const std::string& text) {
  std::vector<int> all;
  std::istringstream in(text);
  for (std::string range; std::getline(in, range, ',');) {
    int first = 0, last = 0;
    char dash = 0;
    std::istringstream numbers(range);
    if (!(numbers >> first)) return {};
    if (!(numbers >> dash)) last = first;
    else if (dash != '-' || !(numbers >> last)) return {};
    for (int i = first; i <= last; ++i) all.push_back(i);
  }
  return all;
}

/// The number of processors whose time the cgroups of this process may use; infinite where nothing limits it.
double time_limit(const fs::path& root) {
  double limit = HUGE_VAL;
  for_each_cgroup(root, [&](const fs::path& group) {
    std::istringstream in(first_line(group / "cpu.max"));  // "max 100000", or two numbers of microseconds: quota, period
    double quota = 0, period = 0;
    if (in >> quota >> period && quota > 0 && period > 0) limit = std::min(limit, quota / period);
  });
  return limit;
}

}  // namespace

int count_cores(const fs::path& root, int processors) {
  const std::vector<int> allowed = listed(line_after(root / "proc/self/status", "Cpus_allowed_list:"));
  std::set<std::string> cores;  // each by the list of its processors
  for (const int processor : allowed) {
    const fs::path topology = root / "sys/devices/system/cpu" / ("cpu" + std::to_string(processor)) / "topology";
    std::string core = first_line(topology / "core_cpus_list");
    if (core.empty()) core = first_line(topology / "thread_siblings_list");  // its name before Linux 5.3
    if (core.empty()) core = "alone: " + std::to_string(processor);
    cores.insert(core);
  }
  // The mask is that of the first thread; `processors` is what the calling one may use.
  const int known = static_cast<int>(allowed.size()) < processors ? processors : static_cast<int>(cores.size());
  const int count = std::min(known, processors);
  return static_cast<int>(std::clamp(std::ceil(time_limit(root)), 1.0, static_cast<double>(count)));
}

}  // namespace detail

int available_cores() { return detail::count_cores("/", available_processors()); }

}  // namespace megalith

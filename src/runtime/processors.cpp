// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/processors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <locale>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "megalith/runtime/parallel.h"
#include "openmp.h"
#include "system_files.h"

namespace megalith {
namespace detail {
namespace {

namespace fs = std::filesystem;

/// A text to read numbers from, as the system writes them: in a program's own locale a blank may stand inside of a number.
std::istringstream numbers_of(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  return in;
}

/// "0-2,5" as 0, 1, 2, 5; empty where the text is not such a list.
std::vector<int> listed(const std::string& text) {
  std::vector<int> all;
  std::istringstream in(text);
  for (std::string range; std::getline(in, range, ',');) {
    int first = 0, last = 0;
    char dash = 0;
    std::istringstream numbers = numbers_of(range);
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
  const auto take = [&](double quota, double period) {
    if (quota > 0 && period > 0) limit = std::min(limit, quota / period);
  };
  for_each_cgroup(root, [&](const fs::path& group) {
    std::istringstream in =
        numbers_of(first_line(group / "cpu.max"));  // "max 100000", or two numbers of microseconds: quota, period
    double quota = 0, period = 0;
    if (in >> quota >> period) take(quota, period);
  });
  for_each_cgroup_of_version_1(root, "cpu", [&](const fs::path& group) {
    std::istringstream quota_file = numbers_of(first_line(group / "cpu.cfs_quota_us")),
                       period_file = numbers_of(first_line(group / "cpu.cfs_period_us"));
    double quota = 0, period = 0;  // a quota of -1: no limit
    if (quota_file >> quota && period_file >> period) take(quota, period);
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
  return static_cast<int>(std::clamp(std::floor(time_limit(root)), 1.0, static_cast<double>(count)));
}

int threads_asked_for(const char* value) {
  if (value == nullptr) return 0;
  const std::string_view blanks = " \t", all = value;
  std::string_view first = all.substr(0, all.find(','));  // the others are for regions inside of regions
  first.remove_prefix(std::min(first.find_first_not_of(blanks), first.size()));
  first = first.substr(0, first.find_last_not_of(blanks) + 1);
  int threads = 0;
  const auto [stop, problem] = std::from_chars(first.data(), first.data() + first.size(), threads);
  const bool whole = problem == std::errc{} && stop == first.data() + first.size();
  return whole && threads >= 1 && threads <= Team::kMaxThreads ? threads : 0;
}

}  // namespace detail

int available_processors() { return detail::openmp_processors(); }

int available_cores() { return detail::count_cores("/", available_processors()); }

int default_threads() {
  const int asked = detail::threads_asked_for(std::getenv("OMP_NUM_THREADS"));
  return asked > 0 ? asked : available_cores();
}

}  // namespace megalith

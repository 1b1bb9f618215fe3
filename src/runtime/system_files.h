// SPDX-License-Identifier: Apache-2.0
// Reads the files in which Linux describes the machine: /proc, /sys.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace megalith::detail {

/// The first line of a file; empty where there is none.
inline std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The rest of the first line that starts with `start`; empty where there is none.
inline std::string line_after(const std::filesystem::path& path, std::string_view start) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(start)) return line.substr(start.size());
  return "";
}

/// Calls f(folder) for the cgroup (version 2) of this process and each of its parents. `root` is / but in tests.
template <class F>
void for_each_cgroup(const std::filesystem::path& root, F&& f) {
  const std::string group = line_after(root / "proc/self/cgroup", "0::/");
  for (std::filesystem::path path = root / "sys/fs/cgroup" / group;; path = path.parent_path()) {
    f(path);
    if (path == root / "sys/fs/cgroup" || !path.has_relative_path()) return;
  }
}

}  // namespace megalith::detail

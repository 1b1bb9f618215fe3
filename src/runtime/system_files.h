// SPDX-License-Identifier: Apache-2.0
// Reads the files in which Linux describes the machine: /proc, /sys.
#pragma once

#include <algorithm>
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

/// Calls f(folder) for `folder` and each of its parents up to `mount`.
template <class F>
void for_each_folder_up(std::filesystem::path folder, const std::filesystem::path& mount, F&& f) {
  for (;; folder = folder.parent_path()) {
    f(folder);
    if (folder == mount || !folder.has_relative_path()) return;
  }
}

/// Calls f(folder) for the cgroup (version 2) of this process and each of its parents. `root` is / but in tests.
template <class F>
void for_each_cgroup(const std::filesystem::path& root, F&& f) {
  const std::filesystem::path mount = root / "sys/fs/cgroup";
  for_each_folder_up(mount / line_after(root / "proc/self/cgroup", "0::/"), mount, f);
}

/// The same for version 1, where each controller, such as "cpu", has a tree of its own. Inside of a container /proc names
/// groups as the machine outside knows them, and only the root of the tree may be there.
template <class F>
void for_each_cgroup_of_version_1(const std::filesystem::path& root, const std::string& controller, F&& f) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/docker/1f2e"
    const std::size_t begin = line.find(':'), end = line.find(':', begin + 1);
    if (end == std::string::npos) continue;
    const std::string controllers = line.substr(begin + 1, end - begin - 1);
    if (("," + controllers + ",").find("," + controller + ",") == std::string::npos) continue;
    const std::string group = line.substr(std::min(end + 2, line.size()));
    for (const std::string& name : {controllers, controller}) {  // a link may stand beside
      const std::filesystem::path mount = root / "sys/fs/cgroup" / name;
      if (std::filesystem::exists(mount)) return for_each_folder_up(mount / group, mount, f);
    }
  }
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Which files of a folder are data.
#pragma once

#include <string>
#include <vector>

namespace megalith {

/// Shell patterns, as fnmatch() knows them, that choose among the files under a folder: * stands for any bytes, / included,
/// ? for one byte, [a-z] for one of some. A pattern without / is matched against the name of a file, one with / against its
/// path below the folder ("notes/2024/a.txt"), and one that ends in / against the start of that path: all under notes/.
/// Bytes are compared as they are, whatever locale the program has.
struct FilePatterns {
  std::vector<std::string> include{};  // a file must match one of them; none: any file
  std::vector<std::string> exclude{};  // and none of these

  bool empty() const { return include.empty() && exclude.empty(); }
  /// Throws Error where a pattern is empty.
  void validate() const;
  /// Whether the file at this path below a folder is taken.
  bool take(const std::string& below) const;
  /// Whether no file under the folder at this path can be taken, since a pattern as notes/ or notes/* excludes all of it.
  bool leave_out(const std::string& below) const;
  /// "include *.txt *.md, exclude notes/".
  std::string describe() const;
};

}  // namespace megalith

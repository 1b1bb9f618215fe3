// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/file_patterns.h"

#include <fnmatch.h>
#include <locale.h>

#include <algorithm>

#include "megalith/core/check.h"

namespace megalith {
namespace {

/// While it lives, this thread compares bytes: fnmatch() goes by the locale, and which files are data must not.
class BytesAsTheyAre {
 public:
  BytesAsTheyAre() : before_(::uselocale(plain())) {}
  BytesAsTheyAre(const BytesAsTheyAre&) = delete;
  BytesAsTheyAre& operator=(const BytesAsTheyAre&) = delete;
  ~BytesAsTheyAre() { ::uselocale(before_); }

 private:
  static locale_t plain() {
    static const locale_t c = ::newlocale(LC_ALL_MASK, "C", nullptr);
    return c;
  }
  locale_t before_;
};

bool matches(const std::string& pattern, const std::string& below) {
  const bool whole_path = pattern.find('/') != pattern.npos;
  const std::string name = whole_path ? below : below.substr(below.rfind('/') + 1);
  return ::fnmatch((pattern.ends_with('/') ? pattern + "*" : pattern).c_str(), name.c_str(), 0) == 0;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& below) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return matches(p, below); });
}

std::string listed(const char* what, const std::vector<std::string>& patterns) {
  std::string all = patterns.empty() ? "" : what;
  for (const std::string& pattern : patterns) all += " " + pattern;
  return all;
}

}  // namespace

void FilePatterns::validate() const {
  for (const auto* patterns : {&include, &exclude})
    for (const std::string& pattern : *patterns)
      check(!pattern.empty(), "a pattern to ", patterns == &include ? "include" : "exclude",
            " files by is empty; give one such as *.txt");
}

bool FilePatterns::take(const std::string& below) const {
  if (empty()) return true;
  const BytesAsTheyAre bytes;
  return (include.empty() || any_matches(include, below)) && !any_matches(exclude, below);
}

bool FilePatterns::leave_out(const std::string& below) const {
  if (exclude.empty()) return false;
  const BytesAsTheyAre bytes;
  // What ends in * and matches the bare folder matches whatever comes behind.
  return std::any_of(exclude.begin(), exclude.end(), [&](const std::string& p) {
    return p.find('/') != p.npos && (p.ends_with('/') || p.ends_with('*')) && matches(p, below + "/");
  });
}

std::string FilePatterns::describe() const {
  const bool both = !include.empty() && !exclude.empty();
  return listed("include", include) + (both ? ", " : "") + listed("exclude", exclude);
}

}  // namespace megalith

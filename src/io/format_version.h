// SPDX-License-Identifier: Apache-2.0
// The versions of our files' formats.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "../json/strict.h"

namespace megalith::detail {

/// Throws Error, with what to do, unless a file's format version is from 1 to the newest that this library reads.
/// `written_by` is the version of the library that the file names, or empty.
inline void check_format_version(const std::string& where, const std::string& version, int newest,
                                 const std::string& written_by) {
  int number = 0;
  const char* const end = version.data() + version.size();
  const auto [stop, problem] = std::from_chars(version.data(), end, number);
  const bool whole = problem == std::errc{} && stop == end && version == std::to_string(number);
  if (whole && number >= 1 && number <= newest) return;
  check(!whole || number <= newest, where, " has format version ", version, ", which is newer than ", newest,
        ", the newest that this library reads; ",
        written_by.empty() ? std::string("read it with a newer version of Megalith")
                           : text("read it with Megalith ", in_quotes(written_by), ", which wrote it, or a newer one"));
  throw Error(text(where, " has format version ", in_quotes(version), ", and this library reads versions 1 to ", newest,
                   "; the file is damaged, or something else wrote it"));
}

}  // namespace megalith::detail

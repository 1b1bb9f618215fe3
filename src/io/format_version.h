// SPDX-License-Identifier: Apache-2.0
// The versions of our files' formats.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "../json/strict.h"

namespace megalith::detail {

/// Throws Error, with what to do, unless a file's format version is the one that this library reads. `written_by` is the
/// version of the library that the file names, or empty.
inline void check_format_version(const std::string& where, const std::string& version, int known,
                                 const std::string& written_by) {
  if (version == std::to_string(known)) return;
  int number = 0;
  const char* const end = version.data() + version.size();
  const auto [stop, problem] = std::from_chars(version.data(), end, number);
  const bool newer = (problem == std::errc{} && stop == end && number > known);
  check(!newer, where, " has format version ", version, ", which is newer than ", known,
        ", the newest that this library reads; ",
        written_by.empty() ? std::string("read it with a newer version of Megalith")
                           : text("read it with Megalith ", in_quotes(written_by), ", which wrote it, or a newer one"));
  throw Error(text(where, " has format version ", in_quotes(version), ", and this library reads version ", known,
                   "; the file is damaged, or something else wrote it"));
}

}  // namespace megalith::detail

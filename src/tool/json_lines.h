// SPDX-License-Identifier: Apache-2.0
// Files with a JSON object in each line, which somebody may have edited.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <type_traits>

#include "../json/fields.h"

namespace megalith::tool {

/// A line, read field by field.
class JsonLine {
 public:
  /// `where` names it in messages. Throws Error where it is not an object.
  JsonLine(const std::string& line, const std::string& where) : all_(detail::parse_strict(line, where, 8)) {
    check(all_.is_object(), where, " is not a JSON object");
  }

  bool has(const char* key) const { return all_.contains(key); }
  /// Numbers must be `least` or more.
  template <class T>
  void read(const char* key, T& out, T least = {}) {
    if (!fields_.require(has(key), key, "is missing")) return;
    fields_.read(all_[key], key, out);
    if constexpr (std::is_arithmetic_v<T>) fields_.require(out >= least, key, "must be ", least, " or more, not ", out);
  }
  template <class... A>
  bool require(bool valid, const std::string& key, const A&... must) {
    return fields_.require(valid, key, must...);
  }
  void report(const std::string& where) const { fields_.report(where); }

 private:
  nlohmann::json all_;
  detail::FieldReader fields_;
};

/// Calls f(line) for each line of a file; none where there is no file. What comes behind the last end of a line was cut off,
/// by a kill or a full disk, and is left out. Throws Error, naming the line and what is wrong with it.
template <class F>
void for_each_json_line(const std::string& path, F&& f) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return;
  std::ifstream in(path, std::ios::binary);
  check(in.is_open(), "cannot open ", path, " for reading");
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    const std::string where = text(path, " line ", ++number);
    try {
      JsonLine fields(line, where);
      f(fields);
      fields.report(where);
    } catch (const Error& error) {
      throw Error(text(error.what(), "; mend that line, or move the file away to go on without it"));
    }
  }
  check(!in.bad(), "cannot read ", path, " to its end");
}

}  // namespace megalith::tool

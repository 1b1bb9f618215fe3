// SPDX-License-Identifier: Apache-2.0
// JSON from files that nobody vouches for: no object names a key twice, nesting is bounded, and what is wrong is an Error.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "megalith/core/check.h"

namespace megalith::detail {

inline constexpr std::size_t kMaxQuoted = 80;

/// The text, a long one cut: it may come from a damaged file.
inline std::string shortened(std::string_view s) {
  return text(s.substr(0, kMaxQuoted), s.size() > kMaxQuoted ? "..." : "");
}

/// The same in quotation marks.
inline std::string in_quotes(std::string_view s) { return '"' + shortened(s) + '"'; }

/// Parses one JSON document. `where` names it in messages. Throws Error.
inline nlohmann::json parse_strict(std::string_view document, std::string_view where, std::size_t max_depth) {
  using json = nlohmann::json;
  std::vector<std::set<std::string>> open;  // the keys seen in each object that is not closed yet
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        open.emplace_back();
        check(open.size() <= max_depth, where, " nests deeper than ", max_depth, " levels");
        break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        open.pop_back();
        break;
      case json::parse_event_t::key: {
        const auto& key = value.get_ref<const std::string&>();
        check(open.back().insert(key).second, where, " names ", in_quotes(key), " twice");
        break;
      }
      case json::parse_event_t::value:
        break;
    }
    return true;
  };
  try {
    return json::parse(document.begin(), document.end(), watch);
  } catch (const json::parse_error& e) {
    const std::string_view before = document.substr(0, e.byte > 0 ? e.byte - 1 : 0);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1) + 1;
    const bool one_line = document.find('\n') == document.npos;
    throw Error(text(where, " is not valid JSON at ", one_line ? "" : text("line ", line, ", "), "column ", column));
  } catch (const json::exception&) {
    throw Error(text(where, " holds a number that is too large"));
  }
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config_json.h"

#include "../json/fields.h"
#include "config_json.h"
#include "megalith/core/check.h"
#include "megalith/nn/block_kind.h"

namespace megalith {

using nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 8;

namespace {

/// Walks two trees that write_fields made.
std::string difference(const ordered_json& a, const ordered_json& b, const std::string& at) {
  if (a == b) return "";
  if (a.is_array() && a.size() != b.size()) return text("the number of ", at, " (", a.size(), " and ", b.size(), ")");
  for (std::size_t i = 0; a.is_array() && i < a.size(); ++i)
    if (a[i] != b[i]) return difference(a[i], b[i], text(at, "[", i, "]"));
  for (auto i = a.begin(), j = b.begin(); a.is_object() && i != a.end() && j != b.end(); ++i, ++j) {
    if (i.key() != j.key())  // all but the kind of a stack's blocks have the same keys in the same order
      return text("the kind of the blocks of ", at, " (", i.key(), " and ", j.key(), ")");
    if (*i != *j) return difference(*i, *j, at.empty() ? i.key() : at + "." + i.key());
  }
  return text(at, " (", a.dump(), " and ", b.dump(), ")");
}

}  // namespace

namespace detail {

ordered_json write_config(const ModelConfig& config) { return write_fields(config); }

ModelConfig read_config(const nlohmann::json& json, std::string_view where) {
  FieldReader reader;
  ModelConfig config;
  reader.read(json, "", config);
  if (json.is_object()) {
    reader.require_field(json, "", "scales");
    reader.add_problems_of(config);
  }
  reader.report(where);
  return config;
}

}  // namespace detail

std::string to_json(const ModelConfig& config) { return detail::write_config(config).dump(2) + "\n"; }

ModelConfig config_from_json(std::string_view text, std::string_view where) {
  return detail::read_config(detail::parse_strict(text, where, kMaxDepth), where);
}

std::string first_difference(const ModelConfig& a, const ModelConfig& b) {
  return difference(detail::write_config(a), detail::write_config(b), "");
}

}  // namespace megalith

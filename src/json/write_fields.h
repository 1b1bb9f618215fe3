// SPDX-License-Identifier: Apache-2.0
// Structs to JSON, by their lists of fields (core/fields.h).
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hex.h"
#include "megalith/core/fields.h"
#include "strict.h"

namespace megalith::detail {

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

/// A config whose last member is the config of one of several kinds: C::kind_of(c) gives it. In JSON it stands under the
/// name of its kind, beside the other fields.
template <class C>
concept HasKind = requires(C c) {
  C::kind_of(c);
};
/// A config that knows fields under names that they had in older files: C::kOldNames, pairs of old and new.
template <class C>
concept HasOldNames = requires {
  C::kOldNames;
};

/// A string. JSON has text alone, and the name of a file need not be text: what is not UTF-8 is an object {"hex": "ff00"}.
inline nlohmann::ordered_json write_string(const std::string& value) {
  try {
    (void)nlohmann::json(value).dump();
    return value;
  } catch (const nlohmann::json::type_error&) {
    auto bytes = nlohmann::ordered_json::object();
    bytes["hex"] = in_hex(value);
    return bytes;
  }
}

/// The bytes of an object as write_string() makes it; nothing where it is another.
inline std::optional<std::string> bytes_in_hex(const nlohmann::json& value) {
  if (!value.is_object() || value.size() != 1 || !value.contains("hex") || !value["hex"].is_string()) return std::nullopt;
  const auto& digits = value["hex"].get_ref<const std::string&>();
  if (digits.find_first_not_of("0123456789abcdef") != digits.npos) return std::nullopt;
  return from_hex(digits);
}

/// Writes the fields of a config whose type only its kind knows.
class FieldWriter final : public FieldVisitor {
 public:
  using FieldVisitor::field;
  void field(const char* name, bool& value) override { out[name] = value; }
  void field(const char* name, Index& value) override { out[name] = value; }
  void field(const char* name, double& value) override { out[name] = value; }
  void field(const char* name, std::span<const std::string_view> names, std::size_t& value) override {
    out[name] = names[value];
  }
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
};

template <class T>
nlohmann::ordered_json write_fields(const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else if constexpr (std::same_as<T, std::string>) {
    return write_string(value);
  } else if constexpr (std::is_enum_v<T>) {
    return kNames<T>.at(static_cast<std::size_t>(value));
  } else if constexpr (is_list<T>) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& entry : value) out.push_back(write_fields(entry));
    return out;
  } else {
    auto out = nlohmann::ordered_json::object();
    T::visit_fields(value, [&](const char* name, const auto& member) { out[name] = write_fields(member); });
    if constexpr (HasKind<T>) {
      auto of_kind = T::kind_of(value);
      FieldWriter writer;
      of_kind.kind().visit_fields(of_kind.settings(), writer);
      out[std::string(of_kind.name())] = std::move(writer.out);
    }
    return out;
  }
}

}  // namespace megalith::detail

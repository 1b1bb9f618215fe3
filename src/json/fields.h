// SPDX-License-Identifier: Apache-2.0
// Structs to and from JSON. A struct takes part by a visit_fields(c, f) beside it, which calls f(name, member) in the order
// of the file; an enum by its names in kNames, in the order of its enumerators.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hex.h"
#include "megalith/core/nearest.h"
#include "megalith/core/problems.h"
#include "strict.h"

namespace megalith::detail {

template <class T, class Plain>
concept Is = std::same_as<std::remove_const_t<T>, Plain>;

template <class E>
inline constexpr std::array<std::string_view, 0> kNames{};

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

/// A string. JSON has text alone, and the name of a file need not be any: what is no UTF-8 is an object {"hex": "ff00"}.
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
    visit_fields(value, [&](const char* name, const auto& member) { out[name] = write_fields(member); });
    return out;
  }
}

/// Fills values from JSON, as far as it can be done, and notes all that is wrong. A field that is missing keeps its default.
class FieldReader {
  using json = nlohmann::json;

 public:
  /// `at` is the path of the value, such as `scales[0].stack`, empty for the whole.
  void read(const json& value, const std::string& at, bool& out) {
    if (require(value.is_boolean(), at, "must be true or false", but_is(value))) out = value.get<bool>();
  }

  template <std::integral N>
  void read(const json& value, const std::string& at, N& out) {
    if (!require(value.is_number_integer(), at, "must be a whole number", but_is(value))) return;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<N>::max());
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= kMax : std::is_signed_v<N>;
    if (require(fits, at, "must be from ", std::numeric_limits<N>::min(), " to ", kMax, ", not ", value.dump()))
      out = value.get<N>();
  }

  void read(const json& value, const std::string& at, double& out) {
    if (require(value.is_number(), at, "must be a number", but_is(value))) out = value.get<double>();
  }

  void read(const json& value, const std::string& at, std::string& out) {
    if (const auto bytes = bytes_in_hex(value)) out = *bytes;
    else if (require(value.is_string(), at, "must be a string", but_is(value))) out = value.get<std::string>();
  }

  template <class E>
  requires std::is_enum_v<E>
  void read(const json& value, const std::string& at, E& out) {
    if (!require(value.is_string(), at, "must be a name such as ", in_quotes(kNames<E>[0]), but_is(value))) return;
    const auto& name = value.get_ref<const std::string&>();
    const auto found = std::find(kNames<E>.begin(), kNames<E>.end(), name);
    if (require(found != kNames<E>.end(), at, "cannot be ", in_quotes(name), suggestion(name, kNames<E>)))
      out = static_cast<E>(found - kNames<E>.begin());
  }

  template <class T>
  void read(const json& value, const std::string& at, std::vector<T>& out) {
    if (!require(value.is_array(), at, "must be an array", but_is(value))) return;
    out.clear();
    for (std::size_t i = 0; i < value.size() && !problems_.full(); ++i)
      read(value[i], text(at, "[", i, "]"), out.emplace_back());
  }

  template <class C>
  requires std::is_class_v<C>
  void read(const json& value, const std::string& at, C& out) {
    if (!require(value.is_object(), at, "must be an object", but_is(value))) return;
    std::vector<std::string_view> names;
    visit_fields(out, [&](const char* name, auto& member) {
      names.push_back(name);
      if (value.contains(name)) read(value[name], path(at, name), member);
    });
    refuse_others(value, at, names);
  }

  /// Notes each key of an object that is not known. It may have been meant for any field that is missing.
  void refuse_others(const json& object, const std::string& at, const std::vector<std::string_view>& known) {
    bool any = false;
    for (const auto& [key, member] : object.items())
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        say(at, "has no field ", in_quotes(key), suggestion(key, known));
        any = true;
      }
    if (!any) return;
    for (const std::string_view name : known)
      if (!object.contains(name)) unread_.push_back(path(at, name));
  }

  /// Notes a problem of the value at a path unless it is sound; gives back whether it is.
  template <class... A>
  bool require(bool sound, const std::string& at, const A&... must) {
    if (sound) return true;
    say(at, must...);
    unread_.push_back(at);
    return false;
  }

  /// Notes that an object lacks a field; gives back whether it is there.
  bool require_field(const json& object, const std::string& at, std::string_view name) {
    if (object.contains(name)) return true;
    say(at, "has no field ", in_quotes(name));
    unread_.push_back(path(at, name));
    return false;
  }

  /// Notes what a value, whose path is empty, lists as its problems, but only beside others, and only about what was read:
  /// all that is wrong with a document is then told in one round.
  template <class C>
  void add_problems_of(const C& value) {
    if (problems_.count() == 0 || problems_.full()) return;
    for (const std::string& at : unread_) problems_.leave_out(at);
    value.list_problems(problems_);
  }

  /// Throws Error with every problem; `where` names the document.
  void report(std::string_view where) const { problems_.report(where, ": "); }

 private:
  static std::string path(const std::string& at, std::string_view name) {
    return at.empty() ? std::string(name) : text(at, ".", name);
  }

  template <class... A>
  void say(const std::string& at, const A&... words) {
    problems_.add(at.empty() ? "the config" : at, " ", words...);
  }

  /// What a single value is; of an array or an object it would tell too much.
  static std::string but_is(const json& value) {
    const std::string shown = value.is_primitive() ? value.dump() : "";
    return shown.empty() || shown.size() > kMaxQuoted ? "" : ", not " + shown;
  }

  Problems problems_;
  std::vector<std::string> unread_;  // paths of what was there, or meant, and was not read
};

}  // namespace megalith::detail

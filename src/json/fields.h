// SPDX-License-Identifier: Apache-2.0
// Structs from JSON, by their lists of fields (core/fields.h), and to it.
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
#include "megalith/core/fields.h"
#include "megalith/core/nearest.h"
#include "megalith/core/problems.h"
#include "strict.h"
#include "write_fields.h"

namespace megalith::detail {

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

  template <NamedEnum E>
  void read(const json& value, const std::string& at, E& out) {
    std::size_t number = static_cast<std::size_t>(out);
    read(value, at, kNames<E>, number);
    out = static_cast<E>(number);
  }
  /// One of `names`, by its number.
  void read(const json& value, const std::string& at, std::span<const std::string_view> names, std::size_t& out) {
    if (!require(value.is_string(), at, "must be a name such as ", in_quotes(names[0]), but_is(value))) return;
    const auto& name = value.get_ref<const std::string&>();
    const auto found = std::find(names.begin(), names.end(), name);
    if (require(found != names.end(), at, "cannot be ", in_quotes(name), suggestion(name, names)))
      out = static_cast<std::size_t>(found - names.begin());
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
    std::vector<Known> known;
    C::visit_fields(out,
                    [&](const char* name, auto& member) { read_field(value, at, name, member, known, old_name<C>(name)); });
    if constexpr (HasKind<C>) read_kind(value, at, C::kind_of(out), known);
    refuse_others(value, known, at);
  }

  /// A name that an object may have, and the path of the value that it stands for.
  struct Known {
    std::string name, path;
  };
  /// Notes each key of an object that is not known. It may have been meant for any value that is missing.
  void refuse_others(const json& object, const std::string& at, const std::vector<std::string_view>& names) {
    std::vector<Known> known;
    for (const std::string_view name : names) known.push_back({std::string(name), path(at, name)});
    refuse_others(object, known, at);
  }

  /// Notes a problem of the value at a path unless it is valid; gives back whether it is.
  template <class... A>
  bool require(bool valid, const std::string& at, const A&... must) {
    if (valid) return true;
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

  /// The name that a field had in older files; null where it had no other.
  template <class C>
  static const char* old_name(std::string_view name) {
    if constexpr (HasOldNames<C>)
      for (const auto& [before, now] : C::kOldNames)
        if (name == now) return before;
    return nullptr;
  }

  /// Reads a member of an object, where it is there, under its name or its old one.
  template <class T>
  void read_field(const json& object, const std::string& at, const char* name, T& member, std::vector<Known>& known,
                  const char* old = nullptr) {
    const std::string where = path(at, name);
    known.push_back({name, where});
    if (object.contains(name)) read(object[name], where, member);
    if (old == nullptr || !object.contains(old)) return;
    known.push_back({old, where});
    if (require(!object.contains(name), where, "stands there twice, as ", in_quotes(name), " and under its older name ",
                in_quotes(old)))
      read(object[old], where, member);
  }

  /// Reads the config of one of several kinds from the value that has the kind's name. Without one it is of the kind that
  /// `out` has by default, whose fields may stand in the object itself, as they did before there were kinds.
  template <class K>
  void read_kind(const json& object, const std::string& at, K& out, std::vector<Known>& known) {
    std::string found;
    for (const auto* kind : K::kinds()) {
      const std::string name(kind->name());
      known.push_back({name, path(at, name)});
      if (!object.contains(name)) continue;
      if (!require(found.empty(), at, "has blocks of two kinds, ", in_quotes(found), " and ", in_quotes(name))) return;
      found = name;
      if (&out.kind() != kind) out = K(*kind);
    }
    const std::string where = path(at, out.name());
    if (found.empty()) {
      read_fields_of_kind(object, where, out, known);
    } else if (require(object[found].is_object(), where, "must be an object", but_is(object[found]))) {
      std::vector<Known> inside;
      read_fields_of_kind(object[found], where, out, inside);
      refuse_others(object[found], inside, where);
    }
  }
  template <class K>
  void read_fields_of_kind(const json& object, const std::string& at, K& out, std::vector<Known>& known) {
    struct Visitor final : FieldVisitor {
      FieldReader& reader;
      const json& object;
      const std::string& at;
      std::vector<Known>& known;
      Visitor(FieldReader& r, const json& o, const std::string& a, std::vector<Known>& k)
          : reader(r), object(o), at(a), known(k) {}
      using FieldVisitor::field;
      void field(const char* name, bool& value) override { reader.read_field(object, at, name, value, known); }
      void field(const char* name, Index& value) override { reader.read_field(object, at, name, value, known); }
      void field(const char* name, double& value) override { reader.read_field(object, at, name, value, known); }
      void field(const char* name, std::span<const std::string_view> names, std::size_t& value) override {
        known.push_back({name, path(at, name)});
        if (object.contains(name)) reader.read(object[name], path(at, name), names, value);
      }
    };
    Visitor visitor(*this, object, at, known);
    out.kind().visit_fields(out.settings(), visitor);
  }

  void refuse_others(const json& object, const std::vector<Known>& known, const std::string& at) {
    std::vector<std::string> names;
    for (const Known& k : known) names.push_back(k.name);
    bool any = false;
    for (const auto& [key, member] : object.items())
      if (std::find(names.begin(), names.end(), key) == names.end()) {
        say(at, "has no field ", in_quotes(key), suggestion(key, names));
        any = true;
      }
    if (!any) return;
    for (const Known& k : known)
      if (!object.contains(k.name)) unread_.push_back(k.path);
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

// SPDX-License-Identifier: Apache-2.0
// Fields of configs, so that one list of them serves files, comparison and messages. A config lists its fields once, in the
// order of the file, in a visit_fields(c, f) that calls f(name, member); an enum names its values in kNames.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>

#include "megalith/core/shape.h"

namespace megalith {

/// The names of an enum's values, in their order.
template <class E>
inline constexpr std::array<std::string_view, 0> kNames{};

template <class E>
concept NamedEnum = std::is_enum_v<E> &&(kNames<E>.size() > 0);

/// Reads or changes the fields of a config whose type only its owner knows.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void field(const char* name, bool& value) = 0;
  virtual void field(const char* name, Index& value) = 0;
  virtual void field(const char* name, double& value) = 0;
  /// One of `names`, by its number.
  virtual void field(const char* name, std::span<const std::string_view> names, std::size_t& value) = 0;

  template <NamedEnum E>
  void field(const char* name, E& value) {
    std::size_t number = static_cast<std::size_t>(value);
    field(name, kNames<E>, number);
    value = static_cast<E>(number);
  }
};

}  // namespace megalith

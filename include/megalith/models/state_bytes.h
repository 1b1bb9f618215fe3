// SPDX-License-Identifier: Apache-2.0
// A State as bytes: saved, sent, loaded.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/nn/module.h"

namespace megalith {

inline constexpr const char* kDamagedState =
    "the bytes are not a saved state of this model, batch and room; save it again, or start a new state";

namespace detail {

/// The numbers of a field of a State.
template <class S>
auto numbers_in(const Tensor<S>& t) {
  return t.span();
}
template <class S>
auto numbers_in(Tensor<S>& t) {
  return t.span();
}
inline std::span<const Index> numbers_in(const Index& n) { return {&n, 1}; }
inline std::span<Index> numbers_in(Index& n) { return {&n, 1}; }
template <class T>
std::span<const T> numbers_in(const std::vector<T>& v) {
  return v;
}
template <class T>
std::span<T> numbers_in(std::vector<T>& v) {
  return v;
}

/// What tells the States of one structure, batch and room from others: names and sizes of all fields.
template <class State>
std::string fields_of(const State& state) {
  std::string all;
  State::visit_all(
      Name{},
      [&](const Name& name, const auto& field) {
        const auto numbers = numbers_in(field);
        all += text(name.str(), ' ', numbers.size(), 'x', sizeof(numbers[0]), '\n');
      },
      state);
  return all;
}

}  // namespace detail

/// All fields of a State that has a visit_all: the text of their names and sizes, a zero byte, and the numbers.
template <class State>
std::vector<std::byte> save_state(const State& state) {
  const std::string fields = detail::fields_of(state);
  const auto* const begin = reinterpret_cast<const std::byte*>(fields.c_str());
  std::vector<std::byte> out(begin, begin + fields.size() + 1);
  State::visit_all(
      Name{},
      [&](const Name&, const auto& field) {
        const auto bytes = std::as_bytes(detail::numbers_in(field));
        out.insert(out.end(), bytes.begin(), bytes.end());
      },
      state);
  return out;
}

/// Fills a State of the same structure and sizes. Throws Error where the bytes are not such a State's; whether the numbers
/// fit together, the State's valid() tells.
template <class State>
void load_state(State& state, std::span<const std::byte> saved) {
  const std::string fields = detail::fields_of(state);
  const std::size_t head = fields.size() + 1;
  check(saved.size() >= head && std::memcmp(saved.data(), fields.c_str(), head) == 0, kDamagedState);
  std::size_t at = head;
  State::visit_all(
      Name{},
      [&](const Name&, auto& field) {
        const auto bytes = std::as_writable_bytes(detail::numbers_in(field));
        check(saved.size() - at >= bytes.size(), kDamagedState);
        std::memcpy(bytes.data(), saved.data() + at, bytes.size());
        at += bytes.size();
      },
      state);
  check(at == saved.size(), kDamagedState);
}

}  // namespace megalith

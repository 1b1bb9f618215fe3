// SPDX-License-Identifier: Apache-2.0
// A State is all of its fields: what visit_all reaches is what the sequence goes on from.
#pragma once

#include <cstring>
#include <type_traits>
#include <vector>

#include "megalith/testing/sample.h"

namespace megalith::testing {
namespace detail {

/// The bytes of a field of a State: a tensor, a number or a vector of numbers.
template <class Field>
std::vector<std::byte> field_bytes(const Field& field) {
  const auto copy = [](const void* data, std::size_t bytes) {
    const auto* const begin = static_cast<const std::byte*>(data);
    return std::vector<std::byte>(begin, begin + bytes);
  };
  if constexpr (std::is_arithmetic_v<Field>) return copy(&field, sizeof(field));
  else return copy(field.data(), static_cast<std::size_t>(field.size()) * sizeof(*field.data()));
}
template <class Field>
void set_field_bytes(Field& field, const std::vector<std::byte>& bytes) {
  if constexpr (std::is_arithmetic_v<Field>) std::memcpy(&field, bytes.data(), bytes.size());
  else if (!bytes.empty()) std::memcpy(field.data(), bytes.data(), bytes.size());
}

template <class State>
std::vector<std::vector<std::byte>> all_fields(const State& state) {
  std::vector<std::vector<std::byte>> fields;
  State::visit_all(
      Name{}, [&](const Name&, const auto& field) { fields.push_back(field_bytes(field)); }, state);
  return fields;
}
template <class State>
void set_all_fields(State& state, const std::vector<std::vector<std::byte>>& fields) {
  std::size_t i = 0;
  State::visit_all(
      Name{}, [&](const Name&, auto& field) { set_field_bytes(field, fields[i++]); }, state);
}

}  // namespace detail

/// Reads half of the sequence, copies the fields that visit_all gives into a fresh open State of the same room, and reads
/// the rest with both, by forward and by steps: the same bits. On the way valid() must be true of the number of rows that
/// were read, and false where a counter among the fields is not one of that sequence.
template <class S = float, Maker F>
Finding check_state_fields(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  Workspace workspace(trial.threads);
  const Context ctx = context_of(trial, workspace);
  const Sample<M> s = draw_sample<S>(make, trial);
  const Index B = trial.shape.B, T = trial.shape.T, half = T / 2;
  Finding found;
  const auto expect = [&](bool as_it_should_be, const std::string& what) { found.add(as_it_should_be ? 0 : 1, what); };

  typename M::State state(s.module, B, T);
  const auto read = [&](Index begin, Index count, typename M::State& from, bool by_steps) {
    const Tensor<S> x = rows_of(s.x, begin, count);
    Tensor<S> y({B, count, s.module.out_channels()});
    const Context here = ctx.from_position(begin);
    if (by_steps) {
      s.module.step(here, view(x), view(y), from);
    } else {
      typename M::Tape tape(s.module, {B, count});
      s.module.forward(here, view(x), view(y), from, tape);
    }
    return y;
  };
  expect(state.valid(0), "a fresh state is not valid");
  read(0, half, state, false);
  expect(state.valid(half), "the state after half of the sequence is not valid");

  typename M::State restored(s.module, B, T);
  detail::set_all_fields(restored, detail::all_fields(state));
  for (const bool by_steps : {true, false}) {
    typename M::State a = state, b = restored;
    const std::string how = by_steps ? ", by step" : ", by forward";
    const Tensor<S> expected = read(half, T - half, a, by_steps);
    found.add(bit_error(read(half, T - half, b, by_steps), expected), "y after the fields were copied" + how);
    found.add(compare_states(b, a, kBits), "after the fields were copied" + how + ": ");
    expect(detail::all_fields(b) == detail::all_fields(a), "fields differ after the fields were copied" + how);
    expect(b.valid(T), "the state at the end is not valid" + how);
  }
  typename M::State changed = state;
  M::State::visit_all(
      Name{},
      [&](const Name& name, auto& field) {
        if constexpr (std::is_same_v<std::remove_reference_t<decltype(field)>, Index>) {
          const Index right = field;
          for (const Index wrong : {Index{-1}, T + 1}) {
            field = wrong;
            expect(!changed.valid(half), name.str() + " of " + std::to_string(wrong) + " passes as valid");
          }
          field = right;
        }
      },
      changed);
  return found;
}

}  // namespace megalith::testing

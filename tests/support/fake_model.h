// SPDX-License-Identifier: Apache-2.0
// A byte model small enough to see through, for tests of training and generation: a byte's logits are a row for the byte
// before it plus a row for its position in the window. Its gradients are exact, and it has a dropout of its own.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith::tests {

/// logits(t) = table[x(t - 1)] + positions[t], with row 256 of the table where nothing came before.
class FakeModel : public AnyModel {
 public:
  /// `unit` only restricts lengths, as that of a patched model does.
  explicit FakeModel(Index length = 16, Index unit = 1, double dropout = 0)
      : table_({kByteValues + 1, kByteValues}), positions_({length, kByteValues}) {
    config_.length = length;
    if (unit > 1) config_.scales.push_back({.unit = unit, .embedding = 0, .first_input = FirstInput::pad, .stack = {}});
    config_.scales.push_back({});
    config_.scales[0].stack.dropout = dropout;
  }

  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<AnyModel> clone() const override { return std::make_unique<FakeModel>(*this); }
  std::vector<Parameter> parameters() override { return {{"table.weight", Role::matrix, &table_}, {"positions", Role::table, &positions_}}; }
  Index parameter_count() const override { return table_.size() + positions_.size(); }
  void init(RandomKey key) override {
    std::uint64_t counter = 0;
    for (const Parameter& p : parameters())
      for (float& x : p.tensor->span()) x = static_cast<float>(random_truncated_normal(key, counter++));
  }

  std::unique_ptr<AnyTape> make_tape(Shape) const override { return std::make_unique<AnyTape>(); }

  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape&) const override {
    FakeModel& g = dynamic_cast<FakeModel&>(grad);
    const double drop = ctx.mode == Mode::train ? config_.scales[0].stack.dropout : 0;
    Tensor<float> logits_of_byte({kByteValues});  // aligned: where vectors begin decides bits
    const std::span<float> z = logits_of_byte.span();
    for (Index b = 0; b < bytes.B; ++b)
      for (Index t = 0; t < bytes.T; ++t) {
        const Index i = b * bytes.T + t;
        const bool dropped = random_uniform(ctx.key, static_cast<std::uint64_t>(ctx.first_row + i)) < drop;
        const Index before = t > 0 && !dropped ? bytes.row(b)[t - 1] : kByteValues;
        const std::uint8_t byte = bytes.row(b)[t];
        logits(before, t, z);
        const float log_sum = log_sum_exp(z);
        losses[static_cast<std::size_t>(i)] = log_sum - z[byte];
        // d loss / dz = softmax(z) - [v is the byte]
        auto dz = row_map(z.data(), kByteValues).array();
        dz = (dz - log_sum).exp() * scale;
        dz[byte] -= scale;
        row_map(g.table_.row(before), kByteValues).array() += dz;
        row_map(g.positions_.row(t), kByteValues).array() += dz;
      }
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> losses) const override {
    assert(bytes.T % config_.scales[0].unit == 0 && bytes.T <= config_.length);
    ctx.parallel_for(bytes.B, [&](Index b, Arena& arena) {
      Frame frame(arena);
      const std::span<float> z(frame.take<float>(kByteValues), kByteValues);
      for (Index t = 0; t < bytes.T; ++t) {
        logits(t > 0 ? bytes.row(b)[t - 1] : kByteValues, t, z);
        losses[static_cast<std::size_t>(b * bytes.T + t)] = log_sum_exp(z) - z[bytes.row(b)[t]];
      }
    });
  }

  std::unique_ptr<AnyState> make_state(Index B) const override { return std::make_unique<State>(B); }
  void read(const Context&, Bytes bytes, AnyState& state) const override {
    for (Index t = 0; t < bytes.T; ++t) {
      std::vector<std::uint8_t> column;
      for (Index b = 0; b < bytes.B; ++b) column.push_back(bytes.row(b)[t]);
      accept(column, state);
    }
  }
  void next(const Context&, AnyState& state, std::span<float> out) const override {
    const State& s = dynamic_cast<State&>(state);
    assert(s.position < config_.length);
    for (std::size_t b = 0; b < s.before.size(); ++b)
      logits(s.before[b], s.position, out.subspan(b * kByteValues, kByteValues));
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override {
    State& s = dynamic_cast<State&>(state);
    assert(bytes.size() == s.before.size() && s.position < config_.length);
    s.before.assign(bytes.begin(), bytes.end());
    ++s.position;
  }
  Index position(const AnyState& state) const override { return dynamic_cast<const State&>(state).position; }
  double flops(Shape shape) const override { return static_cast<double>(shape.rows()); }

  void logits(Index before, Index t, std::span<float> out) const {
    row_map(out.data(), kByteValues) = row_map(table_.row(before), kByteValues) + row_map(positions_.row(t), kByteValues);
  }

 protected:
  ModelConfig config_;

 private:
  struct State final : AnyState {
    explicit State(Index B) : before(static_cast<std::size_t>(B), kByteValues) {}
    std::unique_ptr<AnyState> clone() const override { return std::make_unique<State>(*this); }
    std::vector<Index> before;
    Index position = 0;
  };

  static float log_sum_exp(std::span<const float> z) {
    const auto numbers = row_map(z.data(), kByteValues).array();
    const float largest = numbers.maxCoeff();
    return largest + std::log((numbers - largest).exp().sum());
  }

  Tensor<float> table_;      // (257, 256)
  Tensor<float> positions_;  // (T, 256)
};

}  // namespace megalith::tests

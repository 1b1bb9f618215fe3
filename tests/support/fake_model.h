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

/// What a FakeModel tells of itself.
class FakeSummary final : public ModelSummary {
 public:
  FakeSummary(std::optional<Index> length, Index unit, double parameters, bool batch_invariant = true)
      : length_(length), unit_(unit), parameters_(parameters), batch_invariant_(batch_invariant) {}
  Index unit() const override { return unit_; }
  std::optional<Index> max_length() const override { return length_; }
  RecordConfig record() const override { return record_; }
  void set_record(const RecordConfig& record) { record_ = record; }
  bool batch_invariant() const override { return batch_invariant_; }
  std::vector<SizePart> parameters_by_part() const override { return {{"all", parameters_}}; }
  std::vector<FlopsPart> flops_by_part(Shape shape) const override { return {{"all", static_cast<double>(shape.rows())}}; }
  double tape_bytes(Shape) const override { return 0; }
  double training_scratch_bytes(Shape, int) const override { return 0; }
  double scoring_scratch_bytes(Shape, int) const override { return 0; }
  double state_bytes(Index, Index) const override { return 0; }

 private:
  std::optional<Index> length_;
  RecordConfig record_;
  Index unit_;
  double parameters_;
  bool batch_invariant_;
};

/// logits(t) = table[x(t - 1)] + positions[t], with row 256 of the table where nothing came before.
class FakeModel : public AnyModel {
 public:
  /// `unit` only restricts lengths, as that of a patched model does. Without a limit, positions start again after `length`.
  explicit FakeModel(Index length = 16, Index unit = 1, double dropout = 0, bool unlimited = false)
      : summary_(unlimited ? std::nullopt : std::optional(length), unit,
                 static_cast<double>((kByteValues + 1 + length) * kByteValues)),
        dropout_(dropout),
        table_({kByteValues + 1, kByteValues}),
        positions_({length, kByteValues}) {
    config_.length = length;
  }

  void set_record(const RecordConfig& record) {
    config_.record = record;
    summary_.set_record(record);
  }

  const ModelConfig& config() const override { return config_; }
  const ModelSummary& summary() const override { return summary_; }
  std::unique_ptr<AnyModel> clone() const override { return std::make_unique<FakeModel>(*this); }
  std::vector<Parameter> parameters() override {
    return {{"table.weight", Role::matrix, &table_}, {"positions", Role::table, &positions_}};
  }
  void init(RandomKey key) override {
    std::uint64_t counter = 0;
    for (const Parameter& p : parameters())
      for (float& x : p.tensor->span()) x = static_cast<float>(random_truncated_normal(key, counter++));
  }

  std::unique_ptr<AnyTape> make_tape(Shape) const override { return std::make_unique<AnyTape>(); }

  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape&,
             [[maybe_unused]] AnyState* state = nullptr, AnyState* = nullptr) const override {
    assert(state == nullptr);
    FakeModel& g = dynamic_cast<FakeModel&>(grad);
    const double drop = ctx.mode == Mode::train ? dropout_ : 0;
    Tensor<float> logits_of_byte({kByteValues});  // aligned: where vectors begin decides bits
    const std::span<float> z = logits_of_byte.span();
    for (Index b = 0; b < bytes.B; ++b)
      for (Index t = 0; t < bytes.T; ++t) {
        const Index i = b * bytes.T + t;
        const auto [sequence, position] = ctx.row_number(i, bytes.T);
        const bool dropped = random_uniform(ctx.key, (static_cast<std::uint64_t>(sequence) << 32) +
                                                         static_cast<std::uint64_t>(position)) < drop;
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
        row_map(g.positions_.row(t % positions_.rows()), kByteValues).array() += dz;
      }
  }
  void score(const Context& ctx, Bytes bytes, std::span<float> losses,
             [[maybe_unused]] AnyState* state = nullptr) const override {
    assert(state == nullptr && bytes.T % unit() == 0 && (!max_length() || bytes.T <= *max_length()));
    ctx.parallel_for(bytes.B, [&](Index b, Arena& arena) {
      Frame frame(arena);
      const std::span<float> z(frame.take<float>(kByteValues), kByteValues);
      for (Index t = 0; t < bytes.T; ++t) {
        logits(t > 0 ? bytes.row(b)[t - 1] : kByteValues, t, z);
        losses[static_cast<std::size_t>(b * bytes.T + t)] = log_sum_exp(z) - z[bytes.row(b)[t]];
      }
    });
  }

  std::unique_ptr<AnyState> make_state(Index B, Index = 0) const override { return std::make_unique<State>(B); }
  void read(const Context&, Bytes bytes, AnyState& state) const override {
    for (Index t = 0; t < bytes.T; ++t) {
      std::vector<std::uint8_t> column;
      for (Index b = 0; b < bytes.B; ++b) column.push_back(bytes.row(b)[t]);
      accept(column, state);
    }
  }
  void next(const Context&, AnyState& state, std::span<float> out) const override {
    const State& s = dynamic_cast<State&>(state);
    assert(!max_length() || s.position_ < *max_length());
    for (std::size_t b = 0; b < s.before.size(); ++b)
      logits(s.before[b], s.position_, out.subspan(b * kByteValues, kByteValues));
  }
  void accept(std::span<const std::uint8_t> bytes, AnyState& state) const override {
    State& s = dynamic_cast<State&>(state);
    assert(bytes.size() == s.before.size() && (!max_length() || s.position_ < *max_length()));
    s.before.assign(bytes.begin(), bytes.end());
    ++s.position_;
  }

  void logits(Index before, Index t, std::span<float> out) const {
    t %= positions_.rows();
    row_map(out.data(), kByteValues) = row_map(table_.row(before), kByteValues) + row_map(positions_.row(t), kByteValues);
  }

 private:
  struct State final : AnyState {
    explicit State(Index B) : before(static_cast<std::size_t>(B), kByteValues) {}
    std::unique_ptr<AnyState> clone() const override { return std::make_unique<State>(*this); }
    Index batch() const override { return std::ssize(before); }
    Index position() const override { return position_; }
    void reset() override { *this = State(batch()); }
    void set_zero() override {}
    std::vector<std::byte> save() const override { return {}; }
    void load(std::span<const std::byte>) override {}
    std::vector<Index> before;
    Index position_ = 0;
  };

  static float log_sum_exp(std::span<const float> z) {
    const auto numbers = row_map(z.data(), kByteValues).array();
    const float largest = numbers.maxCoeff();
    return largest + std::log((numbers - largest).exp().sum());
  }

  ModelConfig config_;  // length and records alone: it is not made of scales
  FakeSummary summary_;
  double dropout_;
  Tensor<float> table_;      // (257, 256)
  Tensor<float> positions_;  // (T, 256)
};

}  // namespace megalith::tests

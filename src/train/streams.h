// SPDX-License-Identifier: Apache-2.0
// Training on sequences that go on from step to step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "megalith/models/any_model.h"

namespace megalith::detail {

/// What a model has read of each stream. A State counts for all of its sequences, and streams begin afresh in different
/// places: so each has a State of its own, and is trained on alone.
class Streams {
 public:
  /// For streams of which a tape holds `length` bytes, a multiple of the model's unit.
  Streams(const AnyModel& model, Index streams, Index length);

  /// Forward, loss and backward of the next bytes of a stream, whose gradient flows back to the first of them or to the last
  /// beginning before. Sequences begin at `beginnings`, all multiples of the unit; before the first of them the stream goes
  /// on. `losses` are written, and grad += d(scale * sum of losses)/d(parameters). Bytes beyond `length` are read twice:
  /// forward for the States between them, then from the last piece back to the first, so that the tape need not grow.
  void train(const Context& ctx, Index stream, std::span<const std::uint8_t> bytes, std::span<const Index> beginnings,
             float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape);

  std::span<std::unique_ptr<AnyState>> states() { return states_; }

 private:
  const AnyModel& model_;
  Index length_;
  std::vector<std::unique_ptr<AnyState>> states_;
  std::unique_ptr<AnyState> gradient_;             // by a State
  std::vector<std::unique_ptr<AnyState>> before_;  // the pieces of one sequence
};

}  // namespace megalith::detail

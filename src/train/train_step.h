// SPDX-License-Identifier: Apache-2.0
// One step of training: gradients of all micro-batches, their norm, the update.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "megalith/models/any_model.h"
#include "megalith/train/batch_sampler.h"
#include "megalith/train/clip.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/train_config.h"
#include "megalith/train/weight_average.h"
#include "run_state.h"
#include "streams.h"

namespace megalith::detail {

/// A model in training with everything that grows with its parameters: gradient, state of the optimiser, average, tape.
class TrainStep {
 public:
  struct Result {
    double nats = 0;       // the loss of all bytes that the step predicts
    double grad_norm = 0;  // before clipping
  };

  TrainStep(AnyModel& model, const TrainConfig& config, Index length, const TrainerOptions& options);

  /// The gradient of the mean loss of step `step` (from 0); update() must have taken the one before.
  Result gradient(const BatchSampler& sampler, std::int64_t step);
  /// Takes the step that gradient() prepared.
  void update(std::int64_t step, double lr, double grad_norm);
  /// Whether all losses of the first micro-batch of step `step` are finite. Does not train on it.
  bool finite(const BatchSampler& sampler, std::int64_t step);

  /// Bytes that a step predicts: all that it reads, but for models that train on the ends of windows.
  Index bytes_per_step() const {
    return config_.accumulate * config_.batch * config_.carry * model_.summary().predicted(length_);
  }
  AnyModel& model() const { return model_; }
  /// The model that users get: the averaged weights where averaging is on.
  AnyModel& result() { return average_ ? average_->model() : model_; }
  RunTensors tensors() {
    return {weights_, *optimizer_, average_ ? &*average_ : nullptr, model_.structure(),
            streams_ ? streams_->states() : std::span<std::unique_ptr<AnyState>>()};
  }
  /// After the weights were set from outside.
  void restart_average();
  Workspace& workspace() { return workspace_; }

 private:
  AnyModel& model_;
  const TrainConfig& config_;
  Index length_;
  Workspace workspace_;
  std::vector<Parameter> weights_, gradients_;
  std::unique_ptr<AnyModel> gradient_;
  GlobalNorm norm_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  Shape batch_;  // what a call of the model trains on: (B,T) of a micro-batch, or (1,T) of a stream
  std::unique_ptr<AnyTape> tape_;
  std::vector<std::uint8_t> bytes_;  // as many, or `carry` windows of a stream
  std::vector<float> losses_;
  std::optional<Streams> streams_;
};

}  // namespace megalith::detail

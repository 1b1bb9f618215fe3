// SPDX-License-Identifier: Apache-2.0
#include "train_step.h"

#include <algorithm>
#include <cmath>

namespace megalith::detail {

TrainStep::TrainStep(AnyModel& model, const TrainConfig& config, Index length, const TrainerOptions& options)
    : model_(model),
      config_(config),
      length_(length),
      workspace_(options.threads),
      weights_(model.parameters()),
      gradient_(model.clone()),
      norm_(weights_),
      optimizer_(options.optimizer(config, weights_)),
      batch_{config.stream ? 1 : config.batch, length},
      tape_(model.make_tape(batch_)),
      bytes_(static_cast<std::size_t>(batch_.rows() * config.carry)),
      losses_(bytes_.size()) {
  if (config.stream) streams_.emplace(model, config.batch * config.accumulate, length);
  gradients_ = gradient_->parameters();
  for (const Parameter& p : gradients_) p.tensor->fill(0);
  restart_average();
}

void TrainStep::restart_average() {
  average_.reset();
  if (config_.average > 0) average_.emplace(model_, config_.average);
}

TrainStep::Result TrainStep::gradient(const BatchSampler& sampler, std::int64_t step) {
  Context ctx(workspace_);
  ctx.mode = Mode::train;
  ctx.precision = config_.precision;
  ctx.key = RandomKey{config_.seed}.child(static_cast<std::uint64_t>(step));
  Result result;
  const float scale = static_cast<float>(1 / static_cast<double>(bytes_per_step()));
  const Index windows = config_.accumulate * config_.batch, taken = length_ * config_.carry;
  for (Index first = 0; first < windows; first += batch_.B) {
    sampler.fill(step, first, taken, bytes_);
    if (streams_)
      streams_->train(ctx, first, bytes_, sampler.beginnings(step, first, taken), scale, losses_, *gradient_, *tape_);
    else model_.train(ctx.from_sequence(first), {bytes_.data(), batch_.B, length_}, scale, losses_, *gradient_, *tape_);
    for (const float loss : losses_) result.nats += static_cast<double>(loss);
  }
  result.grad_norm = norm_(ctx, gradients_);
  return result;
}

void TrainStep::update(std::int64_t step, double lr, double grad_norm) {
  const Context ctx(workspace_);
  optimizer_->update(ctx, weights_, gradients_, lr, clip_factor(grad_norm, config_.clip), step + 1);
  if (average_) average_->update(ctx, weights_, step + 1);
}

bool TrainStep::finite(const BatchSampler& sampler, std::int64_t step) {
  sampler.fill(step, 0, length_ * config_.carry, bytes_);
  model_.score(Context(workspace_), {bytes_.data(), batch_.B, length_}, losses_);
  return std::all_of(losses_.begin(), losses_.begin() + batch_.rows(), [](float loss) { return std::isfinite(loss); });
}

}  // namespace megalith::detail

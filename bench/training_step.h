// SPDX-License-Identifier: Apache-2.0
// A whole step of training on random bytes, again and again.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "machine_limits.h"
#include "megalith/megalith.h"
#include "megalith/train/adamw.h"
#include "megalith/train/clip.h"
#include "options.h"

namespace megalith::bench {

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline std::vector<std::uint8_t> random_bytes(Index n) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random_bits(RandomKey{2}, i));
  return bytes;
}

/// A model in training, with all that takes.
class TrainingStep {
 public:
  explicit TrainingStep(const Options& o)
      : shape_(o.shape()), workspace_(o.threads), ctx_(workspace_), model_(make_model(o.config())) {
    check(o.precision == Precision::fp32 || has_bf16_gemm(), "this processor has neither AMX nor AVX-512 BF16 instructions");
    ctx_.mode = Mode::train;
    ctx_.precision = o.precision;
    model_->init(RandomKey{1});
    grad_ = model_->clone();
    weights_ = model_->parameters();
    gradients_ = grad_->parameters();
    for (const Parameter& p : gradients_) p.tensor->fill(0);  // the optimiser leaves them so
    optimiser_.emplace(weights_, AdamWConfig{});
    norm_.emplace(weights_);
    tape_ = model_->make_tape(shape_);
    bytes_ = random_bytes(shape_.rows());
    losses_.resize(bytes_.size());
  }

  /// Forward, backward, clip and AdamW; the seconds they took.
  double run() {
    return seconds_of([&] {
      const float scale = 1.0f / static_cast<float>(shape_.rows());
      model_->train(ctx_, {bytes_.data(), shape_.B, shape_.T}, scale, losses_, *grad_, *tape_);
      optimiser_->update(ctx_, weights_, gradients_, 1e-4, clip_factor((*norm_)(ctx_, gradients_), 1), ++taken_);
    });
  }
  /// The median of `steps` steps after one.
  double seconds(Index steps) {
    run();
    std::vector<double> all;
    for (Index i = 0; i < steps; ++i) all.push_back(run());
    return median(all);
  }

  const AnyModel& model() const { return *model_; }
  Shape shape() const { return shape_; }

 private:
  Shape shape_;
  Workspace workspace_;
  Context ctx_;
  std::unique_ptr<AnyModel> model_, grad_;
  std::vector<Parameter> weights_, gradients_;
  std::optional<AdamW> optimiser_;
  std::optional<GlobalNorm> norm_;
  std::unique_ptr<AnyTape> tape_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> losses_;
  std::int64_t taken_ = 0;
};

}  // namespace megalith::bench

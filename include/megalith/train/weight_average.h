// SPDX-License-Identifier: Apache-2.0
// The moving average of the weights: what a run with averaging validates and hands to users.
#pragma once

#include <cstdint>
#include <memory>

#include "megalith/train/parameter_chunks.h"

namespace megalith {

/// average = d average + (1 - d) weights after each update t (from 1), with d = min(decay, (1 + t) / (10 + t)): a short run
/// forgets its first weights too.
class WeightAverage {
 public:
  /// Starts from the model's weights.
  WeightAverage(const AnyModel& model, double decay);

  /// Allocates nothing; the bits do not depend on threads.
  void update(const Context& ctx, std::span<const Parameter> values, std::int64_t t);

  AnyModel& model() { return *model_; }
  std::span<const Parameter> parameters() const { return parameters_; }

 private:
  double decay_;
  std::unique_ptr<AnyModel> model_;
  std::vector<Parameter> parameters_;
  ParameterChunks chunks_;
};

}  // namespace megalith

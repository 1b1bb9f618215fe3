// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/weight_average.h"

#include <algorithm>

namespace megalith {

WeightAverage::WeightAverage(const AnyModel& model, double decay)
    : decay_(decay), model_(model.clone()), parameters_(model_->parameters()), chunks_(parameters_) {}

void WeightAverage::update(const Context& ctx, std::span<const Parameter> values, std::int64_t t) {
  const double time = static_cast<double>(t);
  const float take = static_cast<float>(1 - std::min(decay_, (1 + time) / (10 + time)));
  chunks_.parallel(ctx, [&](const ParameterChunk& chunk, Index) {
    const auto w = ParameterChunks::view(*values[chunk.parameter].tensor, chunk).array();
    auto average = ParameterChunks::view(*parameters_[chunk.parameter].tensor, chunk).array();
    // In this form a weight that stands still is met exactly.
    average += take * (w - average);
  });
}

}  // namespace megalith

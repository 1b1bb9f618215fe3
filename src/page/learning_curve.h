// SPDX-License-Identifier: Apache-2.0
// The learning curve of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "svg_plot.h"

namespace megalith::page {

/// What a run measured at a step: losses in bits per byte.
struct Metric {
  std::int64_t step = 0, bytes = 0;
  double seconds = 0, train_bpb = 0;
  std::optional<double> valid_bpb{};
  std::int64_t valid_bytes = 0;
};

/// Bits per byte against bytes learned from: training as it was and smoothed, validation with a dot for each.
Plot learning_curve(const std::vector<Metric>& metrics, int width, int height);

}  // namespace megalith::page

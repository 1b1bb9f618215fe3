// SPDX-License-Identifier: Apache-2.0
// The learning curve of a run, from its metrics.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "svg_plot.h"

namespace megalith::tool {

/// What a line of metrics.jsonl tells.
struct Metric {
  std::int64_t step = 0, bytes = 0;
  double seconds = 0, train_bpb = 0;
  std::optional<double> valid_bpb{};
  std::int64_t valid_bytes = 0;
};

/// The lines of a run; empty where there are none yet. One that a full disk cut is left out. Throws Error, naming the line,
/// where one does not hold what it should.
std::vector<Metric> read_metrics(const std::string& run_dir);

/// Bits per byte against bytes learned from: training as it was and smoothed, validation with a dot for each.
Plot learning_curve(const std::vector<Metric>& metrics, int width, int height);

}  // namespace megalith::tool

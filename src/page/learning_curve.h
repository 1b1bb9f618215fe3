// SPDX-License-Identifier: Apache-2.0
// What a run measured, as plots: its learning curve, speed, learning rate and gradient.
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
  std::optional<double> bytes_per_second{}, lr{}, grad_norm{};  // files of older versions may lack them
};

/// Bits per byte that a program which compresses makes of the validation data.
struct Baseline {
  std::string name{};
  double bits_per_byte = 0;
};

/// Bits per byte against bytes learned from: training as it was and smoothed, validation with a dot for each, and a line for
/// each baseline.
Plot learning_curve(const std::vector<Metric>& metrics, const std::vector<Baseline>& baselines, int width, int height);

/// Small plots against steps: speed, learning rate, and the norm of the gradient, above `clip` of which (0: any) it is cut.
/// What no metric tells is left out.
std::vector<Plot> small_plots(const std::vector<Metric>& metrics, double clip, int width, int height);

}  // namespace megalith::page

// SPDX-License-Identifier: Apache-2.0
// What a run leaves for people to look at: report.html and curve.svg.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "baselines.h"
#include "megalith/train/run_config.h"
#include "megalith/train/trainer.h"
#include "samples_html.h"

namespace megalith::tool {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// Replaces both files in the folder of a run by what config.json and metrics.jsonl there tell. `machine` says where the run
/// went on last. Throws Error where they cannot be written.
void write_report(const std::string& run_dir, const RunConfig& run, const TrainResult& result, const ShownSamples& samples,
                  const Baselines& baselines, const Facts& machine);

}  // namespace megalith::tool

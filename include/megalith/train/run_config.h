// SPDX-License-Identifier: Apache-2.0
// All settings of a training run together, and their JSON: the config.json of a run directory.
#pragma once

#include <string>
#include <string_view>

#include "megalith/models/config.h"
#include "megalith/train/train_config.h"

namespace megalith {

/// Everything that a run directory's config.json says: enough to start the run again.
struct RunConfig {
  ModelConfig model;
  TrainConfig train;
  DataConfig data;
};

std::string to_json(const RunConfig& config);
/// Throws Error, naming `where`, on text that is not such a JSON; unknown keys are refused.
RunConfig run_config_from_json(std::string_view text, std::string_view where);
/// The config.json of a run directory. Throws Error where there is none.
RunConfig load_run_config(const std::string& run_dir);

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What compressors make of the validation data of a run: lines in its learning curve.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../page/learning_curve.h"
#include "megalith/train/train_config.h"

namespace megalith::tool {

struct Baselines {
  std::int64_t bytes = 0;  // that were compressed
  std::int64_t valid_bytes = 0;
  int pieces = 0;                     // in which they lie, at equal distances
  std::vector<page::Baseline> all{};  // of the programs that are installed; none where nothing could be measured
};

/// Compresses the validation data, of a model of such records, once, at most a mebibyte of them, and writes the sizes down
/// in compressors.json of the run's folder, where it finds them the next time. Never throws: a run does not fail because a
/// figure beside it does.
Baselines baselines(const std::string& run_dir, const DataConfig& data, Index record);

}  // namespace megalith::tool

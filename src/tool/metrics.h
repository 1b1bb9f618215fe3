// SPDX-License-Identifier: Apache-2.0
// What a run has measured so far: its metrics.jsonl.
#pragma once

#include <string>
#include <vector>

#include "../page/learning_curve.h"

namespace megalith::tool {

/// The lines of a run; empty where there are none yet. A line that a full disk cut short is left out. Throws Error, naming
/// the line, where one does not hold what it should.
std::vector<page::Metric> read_metrics(const std::string& run_dir);

}  // namespace megalith::tool

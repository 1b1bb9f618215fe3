// SPDX-License-Identifier: Apache-2.0
// The run that the options of megalith train describe.
#pragma once

#include <cstdint>
#include <string>

#include "megalith/train/train_config.h"
#include "train_options.h"

namespace megalith::tool {

/// The settings of a new run, or of the one in options.out if it is to be resumed. Data from standard input must be in that
/// folder already. Throws CLI::ParseError when an option is missing or means nothing without another, and Error for an
/// unknown model, a missing run, or, naming both values, an option that would change what a resumed run ends with.
RunConfig run_config(const TrainOptions& options);

/// Throws CLI::ParseError where options say how samples are taken and none are, since they come every `sample_every` steps.
void refuse_unused(const TrainOptions& options, std::int64_t sample_every);

/// "1,200 steps", "10 minutes".
std::string budget_text(const Budget& budget);

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// Several samples of megalith generate, each in a file of its own.
#pragma once

#include "generate_options.h"
#include "megalith/models/any_model.h"

namespace megalith::tool {

/// Samples that are generated at once: each weight that is read serves all of them.
inline constexpr int kTogether = 16;

/// Generates options.samples files, from a prompt in the model's order. Throws Error, before it generates anything, where
/// one exists already (without --force) or cannot be made; each file is there whole or not at all.
void write_samples(const AnyModel& model, const Scan& scan, const std::string& prompt, const GenerateOptions& options);

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// What somebody may not know of the data that are to be learned from.
#pragma once

#include <string>
#include <vector>

#include "megalith/train/train_config.h"

namespace megalith::tool {

/// A sentence for each thing: validation files that are learned from as well, compressed files. Throws Error where the data
/// cannot be read.
std::vector<std::string> notes_on(const DataConfig& data);

}  // namespace megalith::tool

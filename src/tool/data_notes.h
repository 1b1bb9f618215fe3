// SPDX-License-Identifier: Apache-2.0
// What somebody may not know of the data that are to be learned from.
#pragma once

#include <string>
#include <vector>

#include "megalith/train/train_config.h"

namespace megalith::tool {

struct DataNotes {
  std::string summary;             // "9,000 bytes in 2 files to learn from, 900 of them held out"
  std::string shares;              // with weights: "75 % from books (6,000 bytes in 1 file), 25 % from logs (...)"
  std::vector<std::string> notes;  // a sentence for each: validation files that are learned from as well, compressed files
};

/// Throws Error where the data cannot be read.
DataNotes notes_on(const DataConfig& data);

}  // namespace megalith::tool

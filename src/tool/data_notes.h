// SPDX-License-Identifier: Apache-2.0
// What somebody may not know of the data that are to be learned from.
#pragma once

#include <string>
#include <vector>

#include "megalith/train/run_config.h"

namespace megalith::tool {

struct DataNotes {
  std::string summary;  // "9,000 bytes in 2 files to learn from, 900 of them held out"
  std::string shares;   // with weights: "75 % from books (6,000 bytes in 1 file), 25 % from logs (...)"
  /// A sentence for each: validation files that are learned from as well, compressed files, bytes that are no record, and
  /// records that lie across patches.
  std::vector<std::string> notes;
};

/// Throws Error where the data cannot be read.
DataNotes notes_on(const RunConfig& run);

}  // namespace megalith::tool

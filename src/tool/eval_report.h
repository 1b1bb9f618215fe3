// SPDX-License-Identifier: Apache-2.0
// The surprisal of files under a model, as text or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../page/position_bins.h"

namespace megalith::tool {

struct FileBits {
  std::string path;
  std::int64_t bytes = 0;
  double bits = 0;
};

struct EvalBits {
  std::vector<FileBits> files;
  std::int64_t bytes = 0;  // of all of them
  double bits = 0;
  std::vector<page::PositionBin> positions;  // where bits by position are asked for
  std::int64_t left_out = 0;                 // bytes at the ends of files that are no whole record of the model's

  double bits_per_byte() const { return bits / static_cast<double>(bytes); }
};

/// Print to standard output, with what compressors make of each file where that was asked for.
void print_table(const EvalBits& result, bool compare);
void print_json(const EvalBits& result, bool compare);

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// What files cost under a model, as text or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace megalith::tool {

struct FileCosts {
  std::string path;
  std::int64_t bytes = 0;
  double bits = 0;
};

struct EvalCosts {
  std::vector<FileCosts> files;
  std::int64_t bytes = 0;  // of all of them
  double bits = 0;

  double bits_per_byte() const { return bits / static_cast<double>(bytes); }
};

/// Print to standard output, with what compressors make of each file where that was asked for.
void print_table(const EvalCosts& costs, bool compare);
void print_json(const EvalCosts& costs, bool compare);

}  // namespace megalith::tool

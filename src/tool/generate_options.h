// SPDX-License-Identifier: Apache-2.0
// The options of megalith generate.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "megalith/generate/sampler.h"
#include "megalith/models/scan.h"

namespace megalith::tool {

/// Names have four digits whatever the number of samples, and so sort by it.
inline constexpr int kMaxSamples = 9999;

inline constexpr std::int64_t kMaxPrompt = std::int64_t{1} << 28;  // bytes

struct GenerateOptions {
  std::string checkpoint;
  std::int64_t bytes = 0;
  std::string prompt, prompt_file;
  std::vector<std::string> stop;
  SamplingConfig sampling;
  int samples = 0;  // 0: one, to standard output
  std::string out;  // what the samples' names begin with
  bool force = false;
  int threads = 0;
};

void add_options(CLI::App& verb, GenerateOptions& options);

/// From wherever it comes, in the model's order. Throws Error where it cannot be read, and where the model's records do not
/// let bytes begin, end or stop where the options say.
std::string read_prompt(const GenerateOptions& options, const Scan& scan);

}  // namespace megalith::tool

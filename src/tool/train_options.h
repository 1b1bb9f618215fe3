// SPDX-License-Identifier: Apache-2.0
// The options of megalith train.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "megalith/train/file_patterns.h"
#include "megalith/train/run_config.h"
#include "shown_as.h"

namespace megalith::tool {

inline constexpr const char* kDefaultModel = "megabyte-tiny";
inline constexpr double kDefaultMinutes = 10;

/// What was given on the command line. What was not is empty, so that --resume can tell.
struct TrainOptions {
  std::string out;
  bool resume = false;
  int threads = 0;
  std::optional<std::string> model;

  // The rest stands for settings of a RunConfig.
  std::vector<std::string> data, valid;
  std::vector<double> weights;  // of the paths in data; empty where none was given
  FilePatterns patterns;
  std::optional<double> valid_share, minutes, lr, dropout, average;
  std::optional<std::int64_t> steps, bytes;
  bool more = false;  // what is given of steps, bytes or minutes comes on top of a run's budget
  std::optional<Index> record;
  std::optional<ScanConfig> scan;
  std::optional<Index> batch, length, accumulate, carry, patience, warmup;
  std::optional<bool> stream, across_files;
  std::optional<ScheduleKind> schedule;
  std::optional<Precision> precision;
  std::optional<bool> recompute;
  std::optional<std::string> init;
  std::optional<std::uint64_t> seed;

  std::optional<Index> eval_every;
  std::optional<std::int64_t> eval_bytes;
  std::optional<double> save_every_minutes;
  std::optional<std::int64_t> sample_every, sample_bytes;
  std::optional<std::string> prompt;
  std::optional<ShownAs> sample_as;

  /// Whether data are to be read from standard input: for a new run; one that is resumed has kept them.
  bool reads_standard_input() const;
};

void add_options(CLI::App& verb, TrainOptions& options);

}  // namespace megalith::tool

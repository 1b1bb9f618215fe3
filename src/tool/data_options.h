// SPDX-License-Identifier: Apache-2.0
// The options that say which bytes a verb reads.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "megalith/train/corpus.h"
#include "megalith/train/file_patterns.h"

namespace megalith::tool {

/// What a verb reads that does not train.
struct DataOptions {
  std::vector<std::string> paths;
  FilePatterns patterns;

  Corpus corpus() const { return Corpus(paths, "", Folders::without_runs, patterns); }
};

/// --data, --include and --exclude.
void add_data(CLI::App& verb, DataOptions& options);
/// --include and --exclude.
void add_patterns(CLI::App& verb, FilePatterns& patterns);

/// A path of --data, and its weight where one was given.
struct WeightedPath {
  std::string path;
  std::optional<double> weight;
};

/// Takes PATH or PATH:WEIGHT apart. What exists as it is written is a path, whatever it is called, and so is what has no
/// number behind its last colon. Throws CLI::ValidationError where the part before the colon exists and what is behind it is
/// no weight.
WeightedPath weighted_path(const std::string& given);

/// The paths of PATH or PATH:WEIGHT, and their weights: 1 for a path without one; empty where none has one.
void take_weights_apart(const std::vector<std::string>& given, std::vector<std::string>& paths,
                        std::vector<double>& weights);

}  // namespace megalith::tool

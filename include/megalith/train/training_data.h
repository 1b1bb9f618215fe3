// SPDX-License-Identifier: Apache-2.0
// The data of a run, opened: what to train on and what to validate on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "megalith/train/corpus.h"
#include "megalith/train/train_config.h"
#include "megalith/train/weighted_windows.h"

namespace megalith {

/// The files that `paths` stand for, with the patterns, the separator and the folders left out of a DataConfig. Throws Error
/// as Corpus does.
Corpus open_corpus(const std::vector<std::string>& paths, const DataConfig& config);

/// Opens the files of a DataConfig and holds them open. It stays where it is made: the slices point into it.
class TrainingData {
 public:
  /// For a model whose records have `record` bytes: a share is held out in whole ones, counted from the start of each file.
  /// Throws Error when a path cannot be read, when validation has both files and a share, when the share leaves nothing, and
  /// when there are weights for another number of paths, or for a path without bytes.
  explicit TrainingData(const DataConfig& config, Index record = 1);
  TrainingData(const TrainingData&) = delete;
  TrainingData& operator=(const TrainingData&) = delete;

  /// The files that are read, for validation too.
  const Corpus& corpus() const { return corpus_; }
  const CorpusSlice& train() const { return train_; }
  /// With weights: what to train on of each path, and its weight; without, empty.
  std::vector<WeightedSource> sources() const;
  /// Empty where there is no validation.
  const CorpusSlice& valid() const { return valid_; }

 private:
  void hold_out(double share, bool spread, Index record);

  std::vector<std::string> paths_;
  std::vector<double> weights_;
  Corpus corpus_;
  std::optional<Corpus> train_corpus_, valid_corpus_;  // where they are pieces of the other, or other files
  CorpusSlice train_, valid_;
};

}  // namespace megalith

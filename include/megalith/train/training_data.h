// SPDX-License-Identifier: Apache-2.0
// The data of a run, opened: what to train on and what to validate on.
#pragma once

#include <optional>

#include "megalith/train/corpus.h"
#include "megalith/train/train_config.h"

namespace megalith {

/// Opens the files of a DataConfig and holds them open. It stays where it is made: the slices point into it.
class TrainingData {
 public:
  /// Throws Error when a path cannot be read, when validation has both files and a share, or when the share leaves nothing.
  explicit TrainingData(const DataConfig& config);
  TrainingData(const TrainingData&) = delete;
  TrainingData& operator=(const TrainingData&) = delete;

  /// The files that are read, for validation too.
  const Corpus& corpus() const { return corpus_; }
  const CorpusSlice& train() const { return train_; }
  /// Empty where there is no validation.
  const CorpusSlice& valid() const { return valid_; }

 private:
  void hold_out(double share, bool spread);

  Corpus corpus_;
  std::optional<Corpus> train_corpus_, valid_corpus_;  // where they are pieces of the other, or other files
  CorpusSlice train_, valid_;
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_data.h"

#include <cmath>

#include "megalith/core/check.h"

namespace megalith {

TrainingData::TrainingData(const DataConfig& config) : corpus_(config.train, config.separator) {
  const double share = config.valid_share;
  check(share >= 0 && share < 1, "the share of the data held out for validation is ", share,
        ", and must be from 0 to below 1");
  check(share == 0 || config.valid.empty(), "validation has files of its own and a share of the training data (", share,
        "); give one of them");
  const std::int64_t size = corpus_.size();
  const std::int64_t held_out = static_cast<std::int64_t>(std::floor(share * static_cast<double>(size)));
  check(share == 0 || held_out > 0, "a share of ", share, " of the data for validation is less than one of its ", size,
        " bytes");
  train_ = {&corpus_, 0, size - held_out};
  if (!config.valid.empty()) {
    valid_corpus_.emplace(config.valid, config.separator);
    valid_ = {&*valid_corpus_, 0, valid_corpus_->size()};
  } else if (held_out > 0) valid_ = {&corpus_, size - held_out, size};
}

}  // namespace megalith

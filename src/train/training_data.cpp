// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_data.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "megalith/core/check.h"

namespace megalith {

namespace {

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// In how many stretches so many bytes of so many files are held out.
std::int64_t stretches(std::int64_t held_out, std::size_t files) {
  constexpr std::int64_t kMost = 64, kLeastBytes = 256;
  return std::clamp<std::int64_t>(held_out / kLeastBytes, 1,
                                  std::min<std::int64_t>(kMost, static_cast<std::int64_t>(files)));
}

/// part * whole / parts without overflow.
std::int64_t share_of(std::int64_t whole, std::int64_t part, std::int64_t parts) {
  return whole / parts * part + whole % parts * part / parts;
}

}  // namespace

TrainingData::TrainingData(const DataConfig& config)
    : corpus_(config.train, config.separator, config.skip_runs ? Folders::without_runs : Folders::whole) {
  const double share = config.valid_share;
  check(share >= 0 && share < 1, "the share of the data held out for validation is ", share,
        ", and must be from 0 to below 1");
  check(share == 0 || config.valid.empty(), "validation has files of its own and a share of the training data (", share,
        "); give one of them");
  train_ = corpus_.all();
  if (!config.valid.empty()) {
    valid_corpus_.emplace(config.valid, config.separator, config.skip_runs ? Folders::without_runs : Folders::whole);
    valid_ = valid_corpus_->all();
  } else if (share > 0) hold_out(share, config.spread);
}

void TrainingData::hold_out(double share, bool spread) {
  const std::int64_t size = corpus_.size();
  const auto held_out = static_cast<std::int64_t>(std::floor(share * static_cast<double>(size)));
  check(held_out > 0, "a share of ", share, " of the data for validation is less than one of its ", size, " bytes");
  const std::int64_t parts = spread ? stretches(held_out, corpus_.files().size()) : 1;
  if (parts == 1) {
    train_ = {&corpus_, 0, size - held_out};
    valid_ = {&corpus_, size - held_out, size};
    return;
  }
  Ranges train, valid;  // the end of each of so many equal parts
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t begin = share_of(size, i, parts), end = share_of(size, i + 1, parts);
    const std::int64_t bytes = share_of(held_out, i + 1, parts) - share_of(held_out, i, parts);
    train.emplace_back(begin, end - bytes);
    valid.emplace_back(end - bytes, end);
  }
  train_corpus_ = corpus_.pieces(train);
  valid_corpus_ = corpus_.pieces(valid);
  train_ = train_corpus_->all();
  valid_ = valid_corpus_->all();
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_data.h"

#include <algorithm>
#include <cmath>

#include "megalith/core/check.h"

namespace megalith {
namespace {

/// In how many stretches so many bytes of so many files are held out.
std::int64_t stretches(std::int64_t held_out, std::int64_t files, Index record) {
  constexpr std::int64_t kMost = 64, kLeastBytes = 256;
  return std::clamp<std::int64_t>(held_out / std::max(kLeastBytes, record), 1, std::min<std::int64_t>(kMost, files));
}

/// part * whole / parts without overflow.
std::int64_t share_of(std::int64_t whole, std::int64_t part, std::int64_t parts) {
  return whole / parts * part + whole % parts * part / parts;
}

std::int64_t files_in(const CorpusSlice& part) {
  const auto& files = part.corpus->files();
  return std::count_if(files.begin(), files.end(),
                       [&](const CorpusFile& file) { return file.offset >= part.begin && file.offset < part.end; });
}

/// Where a cut of a corpus at this place falls between two records of a file: there, or before it.
std::int64_t between_records(const Corpus& corpus, std::int64_t at, Index record) {
  const auto& files = corpus.files();
  const auto after = std::upper_bound(files.begin(), files.end(), at,
                                      [](std::int64_t place, const CorpusFile& file) { return place < file.offset; });
  if (after == files.begin()) return at;
  const std::int64_t inside = at - (after - 1)->offset;
  return inside < (after - 1)->size ? at - inside % record : at;
}

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;  // [begin, end) in a corpus

struct Split {
  Ranges train, valid;
};

/// Adds to a split what is left of a part of the data, and the share held out of it: the end of each of some equal
/// stretches. `name` is what a message calls the part.
void hold_out_of(const CorpusSlice& part, const std::string& name, double share, bool spread, Index record, Split& split) {
  const auto held_out = static_cast<std::int64_t>(std::floor(share * static_cast<double>(part.size())));
  check(held_out > 0, "a share of ", share, " of ", name, " for validation is less than one of its ", part.size(), " bytes");
  const auto cut = [&](std::int64_t at) { return between_records(*part.corpus, at, record); };
  const std::int64_t parts = spread ? stretches(held_out, files_in(part), record) : 1;
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t begin = part.begin + share_of(part.size(), i, parts),
                       end = part.begin + share_of(part.size(), i + 1, parts);
    const std::int64_t bytes = share_of(held_out, i + 1, parts) - share_of(held_out, i, parts);
    split.train.emplace_back(cut(begin), cut(end - bytes));
    split.valid.emplace_back(cut(end - bytes), cut(end));
  }
}

}  // namespace

Corpus open_corpus(const std::vector<std::string>& paths, const DataConfig& config) {
  return Corpus(paths, config.separator, config.skip_runs ? Folders::without_runs : Folders::whole,
                {config.include, config.exclude});
}

TrainingData::TrainingData(const DataConfig& config, Index record)
    : paths_(config.train), weights_(config.weights), corpus_(open_corpus(config.train, config)) {
  const double share = config.valid_share;
  check(share >= 0 && share < 1, "the share of the data held out for validation is ", share,
        ", and must be from 0 to below 1");
  check(share == 0 || config.valid.empty(), "validation has files of its own and a share of the training data (", share,
        "); give one of them");
  check(weights_.empty() || weights_.size() == paths_.size(), "the training data have ", paths_.size(),
        " paths, and the number of weights is ", weights_.size(), "; give one weight for each path, or none");
  train_ = corpus_.all();
  if (!config.valid.empty()) {
    valid_corpus_.emplace(open_corpus(config.valid, config));
    valid_ = valid_corpus_->all();
  } else if (share > 0) hold_out(share, config.spread, record);
  (void)sources();  // says which path has no bytes
}

void TrainingData::hold_out(double share, bool spread, Index record) {
  Split split;
  if (weights_.empty()) hold_out_of(corpus_.all(), "the data", share, spread, record, split);
  const std::vector<WeightedSource> of_paths = sources();
  for (std::size_t i = 0; i < of_paths.size(); ++i) hold_out_of(of_paths[i].data, paths_[i], share, spread, record, split);
  if (split.train.size() == 1) {  // both in place, without a separator between
    train_ = {&corpus_, split.train[0].first, split.train[0].second};
    valid_ = {&corpus_, split.valid[0].first, split.valid[0].second};
    return;
  }
  train_corpus_ = corpus_.pieces(split.train);
  valid_corpus_ = corpus_.pieces(split.valid);
  train_ = train_corpus_->all();
  valid_ = valid_corpus_->all();
}

std::vector<WeightedSource> TrainingData::sources() const {
  std::vector<WeightedSource> all;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    CorpusSlice data;
    for (const CorpusFile& file : train_.corpus->files()) {
      if (file.path_index != i) continue;
      if (data.corpus == nullptr) data = {train_.corpus, file.offset, file.offset};
      data.end = std::min(file.offset + file.size, train_.end);
    }
    check(data.size() > 0, "there are no bytes to learn from in ", paths_[i], "; leave it out");
    all.push_back({data, weights_[i]});
  }
  return all;
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Where a training step's windows come from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "megalith/core/random.h"
#include "megalith/train/corpus.h"

namespace megalith {

/// A source of training windows. What it gives is a function of step and window number alone, so that a resumed run, another
/// number of threads, or a batch cut into micro-batches sees the same bytes.
class BatchSampler {
 public:
  virtual ~BatchSampler() = default;
  /// Writes windows [first, first + n) of step `step` into `bytes` (n, length), each in the order in which the model reads
  /// it (AnyModel::record). Windows of a step are numbered through its micro-batches.
  virtual void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const = 0;
  /// Where in a window sequences begin of which the model has read nothing: upwards, at multiples of its unit. A window that
  /// begins with none goes on from the window of that number of the step before: with TrainConfig::stream alone.
  virtual std::vector<Index> beginnings(std::int64_t /*step*/, Index /*window*/, Index /*length*/) const { return {0}; }
  /// Says which data this is, in words that differ for other data: a resumed run compares them.
  virtual std::string describe() const = 0;
};

/// Windows that start anywhere, each position as likely as another, also across the ends of files.
class RandomWindows final : public BatchSampler {
 public:
  /// Throws Error when `data` is shorter than a window of `length`. The corpus must outlive the sampler.
  RandomWindows(const CorpusSlice& data, Index length, RandomKey key);
  void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const override;
  std::string describe() const override;

 private:
  CorpusSlice data_;
  RandomKey key_;
};

}  // namespace megalith

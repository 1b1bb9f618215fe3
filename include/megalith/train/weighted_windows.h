// SPDX-License-Identifier: Apache-2.0
// Training windows from several sources, some of them more often than others.
#pragma once

#include <memory>
#include <vector>

#include "megalith/train/record_windows.h"

namespace megalith {

/// A source of training data, and how often it is to be drawn beside the others, whatever its size.
struct WeightedSource {
  CorpusSlice data;
  double weight = 1;
};

/// Draws a source for each window by the weights, and then a window of it that starts anywhere (RandomWindows), or where
/// records are longer than a byte, at one of them (RecordWindows). Windows do not reach from one source into another.
class WeightedWindows final : public BatchSampler {
 public:
  /// Throws Error where there is no source, a weight is not a number above 0, or a source has no window of `length`. The
  /// corpora must outlive the sampler.
  WeightedWindows(const std::vector<WeightedSource>& sources, Index length, RandomKey key, const RecordConfig& record = {});
  void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const override;
  std::string describe() const override;

 private:
  std::vector<std::unique_ptr<const BatchSampler>> windows_;  // of each source
  std::vector<double> weights_;
  RandomKey key_;
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Training windows that begin where records do.
#pragma once

#include <memory>
#include <vector>

#include "megalith/models/scan.h"
#include "megalith/train/batch_sampler.h"

namespace megalith {

/// Windows that begin at multiples of a record from the start of their file, or where records are longer than windows, at
/// multiples of a window inside a record; each as likely as another. None reaches into another file or a separator, and
/// their bytes are in the model's order. What of a file is behind its last window is left out.
class RecordWindows final : public BatchSampler {
 public:
  /// Where the data begin or end inside a file, that part counts as a file. Throws Error where `record` is not valid, does
  /// not suit the length, or no file has a whole window. The corpus must outlive the sampler.
  RecordWindows(const CorpusSlice& data, Index length, RandomKey key, const RecordConfig& record);
  void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const override;
  std::string describe() const override;

  /// In how many places a window can begin in a file of so many bytes.
  static std::int64_t starts(std::int64_t file_bytes, Index length, const RecordConfig& record);
  /// How many of its bytes no window has.
  static std::int64_t left_out(std::int64_t file_bytes, Index length, const RecordConfig& record);

 private:
  struct Part {
    std::int64_t begin = 0, first = 0;  // where it begins in the corpus, and the number of its first window
  };
  CorpusSlice data_;
  RandomKey key_;
  Scan scan_;
  std::int64_t step_ = 1, count_ = 0;  // bytes from one start to the next; starts
  std::vector<Part> parts_;
};

/// The windows of data for a model of these records: RandomWindows where any byte may begin one.
std::unique_ptr<const BatchSampler> make_windows(const CorpusSlice& data, Index length, RandomKey key,
                                                 const RecordConfig& record);

}  // namespace megalith

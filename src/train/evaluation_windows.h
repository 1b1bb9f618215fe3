// SPDX-License-Identifier: Apache-2.0
// The windows in which data are evaluated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "megalith/models/scan.h"
#include "megalith/train/corpus.h"

namespace megalith::detail {

/// What is evaluated: files end to end, of which bytes [begin, end) count, and what reads them.
struct EvaluationData {
  std::span<const CorpusFile> files;
  std::int64_t begin = 0, end = 0;
  std::function<void(std::int64_t offset, std::span<std::uint8_t> out)> read;
};

/// Bytes [at, at + size) of what counts of a file, in the model's order, of which the first `context` are not scored.
struct EvaluationWindow {
  const CorpusFile* file = nullptr;
  std::int64_t part = 0;  // where in the data begins what counts of the file
  std::int64_t at = 0;
  Index size = 0, context = 0;
};

/// The windows of data, numbered; they are found by number, so that data of any size need no list of them. Where records are
/// read in an order of their own, what of a file is behind its last whole record is left out.
class EvaluationWindows {
 public:
  EvaluationWindows(const EvaluationData& data, Index length, Index stride, const Scan& scan)
      : length_(length), stride_(stride) {
    for (const CorpusFile& file : data.files) {
      const std::int64_t begin = std::max<std::int64_t>(file.offset, data.begin);
      const std::int64_t end = std::min<std::int64_t>(file.offset + file.size, data.end);
      const std::int64_t left_out = begin < end && !scan.keeps_order() ? (end - begin) % scan.record() : 0;
      left_out_ += left_out;
      if (begin >= end - left_out) continue;
      parts_.push_back({&file, begin, end - left_out, count_});
      count_ += 1 + (std::max<std::int64_t>(end - left_out - begin - length, 0) + stride - 1) / stride;
      bytes_ += end - left_out - begin;
    }
  }
  std::int64_t count() const { return count_; }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t left_out() const { return left_out_; }
  EvaluationWindow operator[](std::int64_t number) const {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), number,
                                        [](std::int64_t n, const Part& part) { return n < part.first; });
    const Part& part = *(after - 1);
    const std::int64_t at = (number - part.first) * stride_;
    return {part.file, part.begin, at, static_cast<Index>(std::min<std::int64_t>(length_, part.end - part.begin - at)),
            number == part.first ? 0 : length_ - stride_};
  }

 private:
  struct Part {  // the piece of a file that counts
    const CorpusFile* file;
    std::int64_t begin, end;
    std::int64_t first;  // the number of its first window
  };
  Index length_, stride_;
  std::int64_t count_ = 0, bytes_ = 0, left_out_ = 0;
  std::vector<Part> parts_;
};

}  // namespace megalith::detail

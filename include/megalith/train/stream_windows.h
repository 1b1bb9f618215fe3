// SPDX-License-Identifier: Apache-2.0
// Training windows that follow one another, for models that carry a State from each to the next.
#pragma once

#include <vector>

#include "megalith/train/batch_sampler.h"

namespace megalith {

struct StreamWindowsConfig {
  Index streams = 8;          // side by side; each has an equal part of the data
  Index length = 1024;        // bytes that a step takes of each stream, a multiple of the unit
  Index unit = 1;             // bytes that the model reads at once; what a file has beyond whole units is left out
  bool across_files = false;  // a file goes on from the one before it, and from the separator between them
};

/// The data in order, in streams side by side: window w of step s is what stream w gives after s windows before it. A stream
/// begins afresh with each file, unless it goes on across files, and at its end, behind which it starts again.
class StreamWindows final : public BatchSampler {
 public:
  /// Throws Error where the data have fewer than `streams` windows. The corpus must outlive the sampler.
  StreamWindows(const CorpusSlice& data, const StreamWindowsConfig& config);
  void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const override;
  std::vector<Index> beginnings(std::int64_t step, Index window, Index length) const override;
  std::string describe() const override;

 private:
  /// A file, or a part of one: bytes [begin, begin + size) of the corpus; `before` are in the files before it.
  struct Part {
    std::int64_t begin = 0, size = 0, before = 0;
  };
  /// f(offset in the window, where in the corpus, bytes, whether they begin afresh) for each piece of a window.
  template <class F>
  void for_each_piece(std::int64_t step, Index window, F&& f) const;

  CorpusSlice data_;
  StreamWindowsConfig config_;
  std::vector<Part> parts_;
  std::int64_t size_ = 0;  // of all parts
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/batch_sampler.h"

#include <cassert>

#include "megalith/core/check.h"

namespace megalith {

RandomWindows::RandomWindows(const CorpusSlice& data, Index length, RandomKey key) : data_(data), key_(key) {
  check(data.size() >= length, "the training data have ", data.size(), " bytes, fewer than one window of ", length,
        "; add data or shorten the window");
}

void RandomWindows::fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const {
  assert(std::ssize(bytes) % length == 0);
  const RandomKey key = key_.child(static_cast<std::uint64_t>(step));
  const Index starts = data_.size() - length + 1;
  const std::size_t size = static_cast<std::size_t>(length);
  for (std::size_t window = 0; window * size < bytes.size(); ++window) {
    const std::uint64_t number = static_cast<std::uint64_t>(first) + window;
    data_.read(random_below(key, number, starts), bytes.subspan(window * size, size));
  }
}

std::string RandomWindows::describe() const { return data_.describe(); }

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/stream_windows.h"

#include <algorithm>
#include <cassert>

#include "megalith/core/check.h"

namespace megalith {

StreamWindows::StreamWindows(const CorpusSlice& data, const StreamWindowsConfig& config) : data_(data), config_(config) {
  check(config.streams >= 1 && config.unit >= 1 && config.length >= 1 && config.length % config.unit == 0, "streams is ",
        config.streams, ", and length ", config.length,
        "; there must be a stream, and the length must be a multiple of the ", "model's unit of ", config.unit,
        config.unit == 1 ? " byte" : " bytes");
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t size = std::max<std::int64_t>(end - begin, 0) / config_.unit * config_.unit;
    if (size == 0) return;
    parts_.push_back({begin, size, size_});
    size_ += size;
  };
  if (config.across_files) {
    add(data.begin, data.end);
  } else if (data.corpus != nullptr) {
    for (const CorpusFile& file : data.corpus->files())
      add(std::max(file.offset, data.begin), std::min(file.offset + file.size, data.end));
  }
  check(size_ / config.length >= config.streams, "the training data have ", size_, " bytes for ", config.streams,
        config.streams == 1 ? " stream" : " streams", " of windows of ", config.length,
        " bytes, fewer than one window each; add data, shorten the window, or make the batch smaller");
}

template <class F>
void StreamWindows::for_each_piece(std::int64_t step, Index window, F&& f) const {
  assert(window >= 0 && window < config_.streams);
  const std::int64_t units = size_ / config_.unit;
  const auto edge = [&](Index stream) {  // without the product of both, which may be large
    return (units / config_.streams * stream + units % config_.streams * stream / config_.streams) * config_.unit;
  };
  const std::int64_t begin = edge(window), end = edge(window + 1), size = end - begin;
  std::int64_t at = begin + static_cast<std::int64_t>(static_cast<__int128>(step) * config_.length % size);
  for (Index done = 0; done < config_.length;) {
    const Part& part = *(std::upper_bound(parts_.begin(), parts_.end(), at,
                                          [](std::int64_t offset, const Part& p) { return offset < p.before; }) -
                         1);
    const Index n = std::min({config_.length - done, part.before + part.size - at, end - at});
    f(done, part.begin + (at - part.before), n, at == begin || at == part.before);
    done += n;
    at = at + n == end ? begin : at + n;
  }
}

void StreamWindows::fill(std::int64_t step, Index first, [[maybe_unused]] Index length,
                         std::span<std::uint8_t> bytes) const {
  assert(length == config_.length && std::ssize(bytes) % length == 0);
  const std::size_t size = static_cast<std::size_t>(config_.length);
  for (std::size_t w = 0; w * size < bytes.size(); ++w)
    for_each_piece(step, first + static_cast<Index>(w), [&](Index offset, std::int64_t where, Index n, bool) {
      data_.corpus->read(where, bytes.subspan(w * size + static_cast<std::size_t>(offset), static_cast<std::size_t>(n)));
    });
}

std::vector<Index> StreamWindows::beginnings(std::int64_t step, Index window, [[maybe_unused]] Index length) const {
  assert(length == config_.length);
  std::vector<Index> out;
  for_each_piece(step, window, [&](Index offset, std::int64_t, Index, bool afresh) {
    if (afresh) out.push_back(offset);
  });
  return out;
}

std::string StreamWindows::describe() const { return data_.describe(); }

}  // namespace megalith

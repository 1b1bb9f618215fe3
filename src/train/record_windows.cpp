// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/record_windows.h"

#include <algorithm>
#include <cassert>

#include "megalith/core/check.h"

namespace megalith {
namespace {

/// Bytes from where a window can begin to where the next one can.
Index step_of(Index length, const RecordConfig& record) { return std::min(length, record.bytes); }

}  // namespace

std::int64_t RecordWindows::starts(std::int64_t file_bytes, Index length, const RecordConfig& record) {
  // The order of a scan is that of whole records.
  const std::int64_t bytes = file_bytes - (record.scan.kind == ScanKind::none ? 0 : file_bytes % record.bytes);
  return bytes < length ? 0 : (bytes - length) / step_of(length, record) + 1;
}

std::int64_t RecordWindows::left_out(std::int64_t file_bytes, Index length, const RecordConfig& record) {
  const std::int64_t count = starts(file_bytes, length, record);
  return count == 0 ? file_bytes : file_bytes - ((count - 1) * step_of(length, record) + length);
}

RecordWindows::RecordWindows(const CorpusSlice& data, Index length, RandomKey key, const RecordConfig& record)
    : data_(data), key_(key), scan_(record), step_(step_of(length, record)) {
  check(suits(record, length), "the windows have ", length, " bytes, and the records ", record.bytes,
        "; one of them must be a multiple of the other");
  check(data.size() > 0, "there are no data to take windows of");
  for (const CorpusFile& file : data.corpus->files()) {
    const std::int64_t begin = std::max(file.offset, data.begin), end = std::min(file.offset + file.size, data.end);
    const std::int64_t count = begin < end ? starts(end - begin, length, record) : 0;
    if (count == 0) continue;
    parts_.push_back({begin, count_});
    count_ += count;
  }
  if (count_ > 0) return;
  const auto& files = data.corpus->files();
  const auto first =
      std::find_if(files.begin(), files.end(), [&](const CorpusFile& file) { return file.offset + file.size > data.begin; });
  throw Error(text("no file of the training data, such as ", first->path, ", has a whole window of ", length, " bytes (",
                   in_words(record), "); add data, or shorten the window or the record"));
}

void RecordWindows::fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const {
  assert(std::ssize(bytes) % length == 0);
  const RandomKey key = key_.child(static_cast<std::uint64_t>(step));
  const std::size_t size = static_cast<std::size_t>(length);
  for (std::size_t window = 0; window * size < bytes.size(); ++window) {
    const std::int64_t start = random_below(key, static_cast<std::uint64_t>(first) + window, count_);
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), start,
                                        [](std::int64_t number, const Part& part) { return number < part.first; });
    const Part& part = *(after - 1);
    scan_.read((start - part.first) * step_, bytes.subspan(window * size, size),
               [&](std::int64_t at, std::span<std::uint8_t> out) { data_.corpus->read(part.begin + at, out); });
  }
}

std::string RecordWindows::describe() const { return data_.describe(); }

std::unique_ptr<const BatchSampler> make_windows(const CorpusSlice& data, Index length, RandomKey key,
                                                 const RecordConfig& record) {
  if (record.bytes == 1) return std::make_unique<RandomWindows>(data, length, key);
  return std::make_unique<RecordWindows>(data, length, key, record);
}

}  // namespace megalith

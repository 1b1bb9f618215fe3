// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/embedder.h"

#include <algorithm>

#include "megalith/core/check.h"
#include "megalith/models/sliding_window.h"
#include "megalith/models/window_scorer.h"

namespace megalith {
namespace {

Embedder::Read reader_of(std::span<const std::uint8_t> bytes) {
  return [bytes](std::int64_t offset, std::span<std::uint8_t> out) {
    std::copy_n(bytes.begin() + offset, out.size(), out.begin());
  };
}

}  // namespace

Embedder::Embedder(const AnyModel& model, Workspace& workspace) : model_(model), workspace_(workspace) {
  constexpr Index kLength = 8192;  // of a model without a window
  check(width() > 0, "this model gives no embeddings");
  const Index unit = model.unit(), longest = model.window().value_or(std::max(kLength, 2 * unit) / unit * unit);
  const RecordConfig record = model.record();
  // The stack's last position has no successor that could say what it reads.
  length_ = longest - unit;
  check(length_ > 0, "the model's windows are single patches of ", unit, " bytes, which give no embeddings");
  const Index step = window_step(model, longest);
  check(record.scan.kind == ScanKind::none && (record.bytes == 1 || step <= length_), "the model reads ", in_words(record),
        " in windows of ", longest, ", and gives no embeddings: windows that overlap do not begin at them");
  stride_ = std::max(step, length_ / step * step - length_ / 2 / step * step);
}

void Embedder::for_each_patch(std::int64_t bytes, const Read& read, const Take& take) {
  check(bytes >= 1, "there is nothing to embed");
  const Index unit = model_.unit(), context = (length_ - stride_) / unit;
  for (std::int64_t start = 0; start == 0 || start + length_ - stride_ < bytes;) {
    // Windows of the full length, as many as there are, or the last one alone.
    const std::int64_t whole = bytes - start < length_ ? 0 : (bytes - start - length_) / stride_ + 1;
    const Index count = std::clamp<Index>(whole, 1, windows_at_once(length_));
    const Index read_each = std::min<Index>(length_, bytes - start), padded = patches(read_each) * unit;
    const std::size_t row = static_cast<std::size_t>(padded), n = static_cast<std::size_t>(padded / unit * width());
    batch_.assign(static_cast<std::size_t>(count) * row, 0);
    vectors_.resize(static_cast<std::size_t>(count) * n);
    for (std::size_t b = 0; b < static_cast<std::size_t>(count); ++b)
      read(start + static_cast<std::int64_t>(b) * stride_,
           std::span(batch_).subspan(b * row, static_cast<std::size_t>(read_each)));
    model_.embed(Context(workspace_), {batch_.data(), count, padded}, vectors_);
    for (std::size_t b = 0; b < static_cast<std::size_t>(count); ++b) {
      const bool first = start == 0 && b == 0;
      take(std::span(vectors_).subspan(b * n, n).subspan(first ? 0 : static_cast<std::size_t>(context * width())));
    }
    start += count * stride_;
  }
}

std::vector<float> Embedder::of_patches(std::span<const std::uint8_t> bytes) {
  std::vector<float> all;
  for_each_patch(std::ssize(bytes), reader_of(bytes),
                 [&](std::span<const float> vectors) { all.insert(all.end(), vectors.begin(), vectors.end()); });
  return all;
}

std::vector<float> Embedder::of_whole(std::int64_t bytes, const Read& read) {
  std::vector<double> sum(static_cast<std::size_t>(width()), 0.0);
  for_each_patch(bytes, read, [&](std::span<const float> vectors) {
    for (std::size_t i = 0; i < vectors.size(); ++i) sum[i % sum.size()] += static_cast<double>(vectors[i]);
  });
  std::vector<float> mean;
  for (const double x : sum) mean.push_back(static_cast<float>(x / static_cast<double>(patches(bytes))));
  return mean;
}

std::vector<float> Embedder::of_whole(std::span<const std::uint8_t> bytes) {
  return of_whole(std::ssize(bytes), reader_of(bytes));
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/evaluate.h"

#include <algorithm>
#include <numbers>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

namespace {

/// Bytes of one window: [begin, begin + size) of the corpus, inside `file`.
struct Window {
  const CorpusFile* file = nullptr;
  std::int64_t begin = 0;
  Index size = 0;
};

/// The windows of a slice, numbered; they are found by number, so that a corpus of any size needs no list of them.
class Windows {
 public:
  Windows(const CorpusSlice& data, Index length) : length_(length) {
    for (const CorpusFile& file : data.corpus->files()) {
      const std::int64_t begin = std::max<std::int64_t>(file.offset, data.begin);
      const std::int64_t end = std::min<std::int64_t>(file.offset + file.size, data.end);
      if (begin >= end) continue;
      parts_.push_back({&file, begin, end, count_});
      count_ += (end - begin + length - 1) / length;
      bytes_ += end - begin;
    }
  }
  std::int64_t count() const { return count_; }
  std::int64_t bytes() const { return bytes_; }
  Window operator[](std::int64_t number) const {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), number,
                                        [](std::int64_t n, const Part& part) { return n < part.first; });
    const Part& part = *(after - 1);
    const std::int64_t begin = part.begin + (number - part.first) * length_;
    return {part.file, begin, static_cast<Index>(std::min<std::int64_t>(length_, part.end - begin))};
  }

 private:
  struct Part {  // the piece of a file that lies in the slice
    const CorpusFile* file;
    std::int64_t begin, end;
    std::int64_t first;  // the number of its first window
  };
  Index length_;
  std::int64_t count_ = 0, bytes_ = 0;
  std::vector<Part> parts_;
};

/// Collects windows of equal length and has them scored together.
class Scorer {
 public:
  Scorer(const AnyModel& model, Workspace& workspace, const CorpusSlice& data, Index length, const EvaluateConfig& config)
      : model_(model), workspace_(workspace), data_(data), config_(config), unit_(model.unit()) {
    const std::optional<Index> longest = model.max_length();
    check(length >= 1 && length <= longest.value_or(length) && length % unit_ == 0, "the windows have ", length,
          " bytes, and the model takes multiples of ", unit_, longest ? text(" up to ", *longest) : "");
    max_windows_ = windows_at_once(length);
  }

  void add(const Window& window) {
    const Index padded = (window.size + unit_ - 1) / unit_ * unit_;
    if (padded != padded_ || std::ssize(batch_) == max_windows_) flush();
    if (padded > longest_) check_scoring(padded);
    padded_ = padded;
    batch_.push_back(window);
  }

  /// What scoring takes beside the weights and the scratch that are there.
  void check_scoring(Index padded) {
    longest_ = padded;
    check_memory(text("scoring windows of ", padded, " bytes"),
                 model_.summary().scoring_scratch_bytes({max_windows_, padded}, workspace_.threads()) -
                     static_cast<double>(workspace_.capacity()));
  }

  void flush() {
    if (batch_.empty()) return;
    const std::size_t row = static_cast<std::size_t>(padded_);
    bytes_.assign(batch_.size() * row, 0);
    losses_.resize(batch_.size() * row);
    for (std::size_t b = 0; b < batch_.size(); ++b)
      data_.corpus->read(batch_[b].begin, std::span(bytes_).subspan(b * row, static_cast<std::size_t>(batch_[b].size)));
    model_.score(Context(workspace_), {bytes_.data(), std::ssize(batch_), padded_}, losses_);
    for (std::size_t b = 0; b < batch_.size(); ++b) {
      // What comes after the window's end is padding. It changes no loss before it.
      const auto losses = std::span(losses_).subspan(b * row, static_cast<std::size_t>(batch_[b].size));
      for (float& loss : losses) {
        loss = static_cast<float>(static_cast<double>(loss) / std::numbers::ln2);
        result.bits += static_cast<double>(loss);
      }
      result.bytes += std::ssize(losses);
      if (config_.losses)
        config_.losses(*batch_[b].file, batch_[b].begin - batch_[b].file->offset + batch_[b].file->begin, losses);
    }
    batch_.clear();
    if (config_.progress) result.stopped = config_.progress(std::min(result.bytes, total), total) == Control::stop;
  }

  Evaluation result;
  std::int64_t total = 0;  // bytes that will be read, for the report: exact, or nearly so for a sample

 private:
  const AnyModel& model_;
  Workspace& workspace_;
  CorpusSlice data_;
  const EvaluateConfig& config_;
  const Index unit_;
  Index max_windows_ = 1, padded_ = 0, longest_ = 0;
  std::vector<Window> batch_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> losses_;
};

}  // namespace

Evaluation evaluate(const AnyModel& model, Workspace& workspace, const CorpusSlice& data, const EvaluateConfig& config) {
  check(data.size() > 0, "there is no data to evaluate on");
  check(config.length > 0 || model.max_length(), "the model has no longest window; name a length");
  const Index length = config.length > 0 ? config.length : *model.max_length();
  Scorer scorer(model, workspace, data, length, config);
  const Windows windows(data, length);
  const std::int64_t all = windows.count();
  check(all > 0, "there is no data to evaluate on");
  const std::int64_t wanted = config.max_bytes > 0 ? std::max<std::int64_t>(1, config.max_bytes / length) : all;
  const std::int64_t count = std::min(all, wanted);
  scorer.total = count == all ? windows.bytes() : std::min(windows.bytes(), count * length);
  for (std::int64_t i = 0; i < count && !scorer.result.stopped; ++i) {
    // Window i of the sample is the one in the middle of the i-th of `count` equal parts.
    scorer.add(windows[count == all ? i : (2 * i + 1) * all / (2 * count)]);
  }
  if (!scorer.result.stopped) scorer.flush();
  return scorer.result;
}

}  // namespace megalith

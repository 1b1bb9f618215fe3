// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/evaluate.h"

#include <algorithm>
#include <numbers>
#include <vector>

#include "megalith/core/check.h"
#include "megalith/models/window_scorer.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

namespace {

/// What is evaluated: files end to end, of which bytes [begin, end) count, and what reads them.
struct Source {
  std::span<const CorpusFile> files;
  std::int64_t begin = 0, end = 0;
  std::function<void(std::int64_t offset, std::span<std::uint8_t> out)> read;
};

/// Bytes [begin, begin + size) of a source, inside `file`, of which the first `context` are not scored.
struct Window {
  const CorpusFile* file = nullptr;
  std::int64_t begin = 0;
  Index size = 0, context = 0;
};

/// The windows of a source, numbered; they are found by number, so that data of any size need no list of them.
class Windows {
 public:
  Windows(const Source& data, Index length, Index stride) : length_(length), stride_(stride) {
    for (const CorpusFile& file : data.files) {
      const std::int64_t begin = std::max<std::int64_t>(file.offset, data.begin);
      const std::int64_t end = std::min<std::int64_t>(file.offset + file.size, data.end);
      if (begin >= end) continue;
      parts_.push_back({&file, begin, end, count_});
      count_ += 1 + (std::max<std::int64_t>(end - begin - length, 0) + stride - 1) / stride;
      bytes_ += end - begin;
    }
  }
  std::int64_t count() const { return count_; }
  std::int64_t bytes() const { return bytes_; }
  Window operator[](std::int64_t number) const {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), number,
                                        [](std::int64_t n, const Part& part) { return n < part.first; });
    const Part& part = *(after - 1);
    const std::int64_t begin = part.begin + (number - part.first) * stride_;
    return {part.file, begin, static_cast<Index>(std::min<std::int64_t>(length_, part.end - begin)),
            number == part.first ? 0 : length_ - stride_};
  }

 private:
  struct Part {  // the piece of a file that counts
    const CorpusFile* file;
    std::int64_t begin, end;
    std::int64_t first;  // the number of its first window
  };
  Index length_, stride_;
  std::int64_t count_ = 0, bytes_ = 0;
  std::vector<Part> parts_;
};

/// Collects windows of equal length and context, and has them scored together.
class WindowBatch {
 public:
  WindowBatch(const AnyModel& model, Workspace& workspace, const Source& data, const EvaluateConfig& config)
      : model_(model), workspace_(workspace), data_(data), config_(config), unit_(model.unit()), windows_(model) {}

  void add(const Window& window) {
    const Index padded = (window.size + unit_ - 1) / unit_ * unit_;
    if (padded != padded_ || window.context != context_ || std::ssize(batch_) == max_windows_) flush();
    if (padded != padded_ || window.context != context_) max_windows_ = windows_.at_once(padded, window.context);
    if (padded > longest_) check_scoring(padded);
    padded_ = padded;
    context_ = window.context;
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
    const std::size_t row = static_cast<std::size_t>(padded_), fresh = static_cast<std::size_t>(padded_ - context_);
    bytes_.assign(batch_.size() * row, 0);
    losses_.resize(batch_.size() * fresh);
    for (std::size_t b = 0; b < batch_.size(); ++b)
      data_.read(batch_[b].begin, std::span(bytes_).subspan(b * row, static_cast<std::size_t>(batch_[b].size)));
    windows_.score(Context(workspace_), {bytes_.data(), std::ssize(batch_), padded_}, context_, losses_);
    for (std::size_t b = 0; b < batch_.size(); ++b) {
      // What comes after the window's end is padding. It changes no loss before it.
      const auto losses = std::span(losses_).subspan(b * fresh, static_cast<std::size_t>(batch_[b].size - context_));
      for (float& loss : losses) {
        loss = static_cast<float>(static_cast<double>(loss) / std::numbers::ln2);
        result.bits += static_cast<double>(loss);
      }
      result.bytes += std::ssize(losses);
      if (config_.losses) {
        const CorpusFile& file = *batch_[b].file;
        config_.losses(file, batch_[b].begin + context_ - file.offset + file.begin, losses);
      }
    }
    batch_.clear();
    if (config_.progress) result.stopped = config_.progress(std::min(result.bytes, total), total) == Control::stop;
  }

  Evaluation result;
  std::int64_t total = 0;  // bytes that will be scored, for the report: exact, or nearly so for a sample

 private:
  const AnyModel& model_;
  Workspace& workspace_;
  const Source& data_;
  const EvaluateConfig& config_;
  const Index unit_;
  WindowScorer windows_;
  Index max_windows_ = 1, padded_ = 0, context_ = 0, longest_ = 0;
  std::vector<Window> batch_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> losses_;
};

Evaluation evaluate(const AnyModel& model, Workspace& workspace, const Source& data, const EvaluateConfig& config) {
  check(data.end > data.begin, "there is no data to evaluate on");
  const std::optional<Index> longest = model.max_length();
  check(config.length > 0 || longest, "the model has no longest window; name a length");
  const Index length = config.length > 0 ? config.length : *longest, unit = model.unit();
  const Index stride = config.stride != 0 ? config.stride : model.summary().predicted(length);
  check(length <= longest.value_or(length) && length % unit == 0, "the windows have ", length,
        " bytes, and the model takes multiples of ", unit, longest ? text(" up to ", *longest) : "");
  check(stride >= 1 && stride <= length && stride % unit == 0, "the stride is ", stride, ", and must be a multiple of ",
        unit, " up to ", length);
  WindowBatch batch(model, workspace, data, config);
  const Windows windows(data, length, stride);
  const std::int64_t all = windows.count();
  check(all > 0, "there is no data to evaluate on");
  const std::int64_t wanted = config.max_bytes > 0 ? std::max<std::int64_t>(1, config.max_bytes / stride) : all;
  const std::int64_t count = std::min(all, wanted);
  batch.total = count == all ? windows.bytes() : std::min(windows.bytes(), count * stride);
  for (std::int64_t i = 0; i < count && !batch.result.stopped; ++i) {
    // Window i of the sample is the one in the middle of the i-th of `count` equal parts.
    batch.add(windows[count == all ? i : (2 * i + 1) * all / (2 * count)]);
  }
  if (!batch.result.stopped) batch.flush();
  return batch.result;
}

}  // namespace

Evaluation evaluate(const AnyModel& model, Workspace& workspace, const CorpusSlice& data, const EvaluateConfig& config) {
  check(data.size() > 0, "there is no data to evaluate on");
  const Corpus& corpus = *data.corpus;
  return evaluate(
      model, workspace,
      {corpus.files(), data.begin, data.end, [&](std::int64_t at, std::span<std::uint8_t> out) { corpus.read(at, out); }},
      config);
}

Evaluation evaluate(const AnyModel& model, Workspace& workspace, std::span<const std::uint8_t> bytes,
                    const EvaluateConfig& config) {
  const CorpusFile file{"", 0, std::ssize(bytes)};
  const auto read = [&](std::int64_t at, std::span<std::uint8_t> out) {
    std::copy_n(bytes.begin() + at, out.size(), out.begin());
  };
  return evaluate(model, workspace, Source{{&file, 1}, 0, file.size, read}, config);
}

}  // namespace megalith

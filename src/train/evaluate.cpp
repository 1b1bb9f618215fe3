// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/evaluate.h"

#include <algorithm>
#include <memory>
#include <numbers>
#include <vector>

#include "evaluation_windows.h"
#include "megalith/core/check.h"
#include "megalith/models/sliding_window.h"
#include "megalith/models/window_scorer.h"
#include "megalith/runtime/machine_memory.h"

namespace megalith {

namespace {

using Data = detail::EvaluationData;
using Window = detail::EvaluationWindow;

/// Collects windows of equal length and context, and has them scored together. The pieces of a stream are windows that come
/// one by one, and each goes on from the one before.
class WindowBatch {
 public:
  WindowBatch(const AnyModel& model, Workspace& workspace, const Data& data, const Scan& scan, const EvaluateConfig& config)
      : model_(model),
        workspace_(workspace),
        data_(data),
        scan_(scan),
        config_(config),
        unit_(model.unit()),
        windows_(model),
        order_(scan) {
    if (config.stream) carried_ = model.make_state(1);
  }

  void add(const Window& window) {
    const Index padded = (window.size + unit_ - 1) / unit_ * unit_;
    if (padded != padded_ || window.context != context_ || std::ssize(batch_) == max_windows_) flush();
    if (padded != padded_ || window.context != context_)
      max_windows_ = carried_ ? 1 : windows_.at_once(padded, window.context);
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
    const std::size_t fresh = static_cast<std::size_t>(padded_ - context_);
    score(0, losses_);
    if (config_.strided) take_first_halves();
    for (std::size_t b = 0; b < batch_.size(); ++b) {
      // What comes after the window's end is padding. It changes no loss before it.
      const auto losses = std::span(losses_).subspan(b * fresh, static_cast<std::size_t>(batch_[b].size - context_));
      for (float& loss : losses) {
        loss = static_cast<float>(static_cast<double>(loss) / std::numbers::ln2);
        result.bits += static_cast<double>(loss);
      }
      result.bytes += std::ssize(losses);
      if (config_.losses) hand_on(batch_[b], losses);
    }
    batch_.clear();
    if (config_.progress) result.stopped = config_.progress(std::min(result.bytes, total), total) == Control::stop;
  }

  Evaluation result;
  std::int64_t total = 0;  // bytes that will be scored, for the report: exact, or nearly so for a sample

 private:
  /// The losses of the windows as if each began `shift` bytes later, but with as many bytes: of those behind its end,
  /// anything.
  void score(Index shift, std::vector<float>& losses) {
    const std::size_t row = static_cast<std::size_t>(padded_);
    bytes_.assign(batch_.size() * row, 0);
    losses.resize(batch_.size() * static_cast<std::size_t>(padded_ - context_));
    for (std::size_t b = 0; b < batch_.size(); ++b) {
      const Window& window = batch_[b];
      const auto size = static_cast<std::size_t>(std::max<Index>(window.size - shift, 0));
      scan_.read(window.at + shift, std::span(bytes_).subspan(b * row, size),
                 [&](std::int64_t at, std::span<std::uint8_t> out) { data_.read(window.part + at, out); });
    }
    const Bytes windows{bytes_.data(), std::ssize(batch_), padded_};
    if (!carried_) return windows_.score(Context(workspace_), windows, context_, losses);
    if (batch_[0].at == 0) carried_->reset();  // another file
    model_.score(Context(workspace_), windows, losses, carried_.get());
  }

  /// Strided inference: the losses of the second half of each patch become those of the first half of one of a second pass,
  /// whose patches begin in the middle of those of the first. Before the first of these it has seen nothing, and where
  /// nothing is context the first pass has.
  void take_first_halves() {
    const std::size_t unit = static_cast<std::size_t>(unit_), half = unit / 2;
    const std::size_t row = static_cast<std::size_t>(padded_ - context_), kept = context_ == 0 ? unit : 0;
    score(unit_ / 2, second_);
    for (std::size_t i = 0; i < losses_.size(); ++i)  // the rows are whole patches
      if (i % row >= kept && i % unit >= half) losses_[i] = second_[i - half];
  }

  void hand_on(const Window& window, std::span<const float> losses) {
    const std::span<const float> ready = order_.add(losses);
    const std::int64_t end = window.part + window.at + window.context + std::ssize(losses) - order_.waiting();
    if (!ready.empty())
      config_.losses(*window.file, end - std::ssize(ready) - window.file->offset + window.file->begin, ready);
  }

  const AnyModel& model_;
  Workspace& workspace_;
  const Data& data_;
  const Scan& scan_;
  const EvaluateConfig& config_;
  const Index unit_;
  WindowScorer windows_;
  std::unique_ptr<AnyState> carried_;  // what came before in a stream; null where there are windows
  Index max_windows_ = 1, padded_ = 0, context_ = 0, longest_ = 0;
  std::vector<Window> batch_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> losses_, second_;
  FileOrder<float> order_;
};

/// Bytes of the windows, or of the pieces of a stream, and from the start of one to that of the next.
SlidingWindow windows_of(const AnyModel& model, const EvaluateConfig& config) {
  const std::optional<Index> longest = model.max_length(), own = config.stream ? stream_piece(model) : model.window();
  check(!config.stream || !longest, "the model reads at most ", longest.value_or(0),
        " bytes at once, so that no file is one sequence; leave out stream, and let windows overlap by a stride");
  check(!config.stream || (config.stride == 0 && config.max_bytes == 0 && !config.strided),
        "stride, max_bytes and strided are about windows, which a stream has not; leave them out, or stream");
  check(config.length > 0 || own, "the model has no longest window; name a length");
  const Index length = config.length > 0 ? config.length : *own, unit = model.unit();
  check(length <= longest.value_or(length) && length % unit == 0, "the ", config.stream ? "pieces" : "windows", " have ",
        length, " bytes, and the model takes multiples of ", unit, longest ? text(" up to ", *longest) : "");
  if (config.stream) return {length, length};
  const RecordConfig record = model.record();
  check(suits(record, length), "the windows have ", length, " bytes, and the model's records ", record.bytes,
        "; one of them must be a multiple of the other");
  const Index stride = config.stride != 0 ? config.stride : default_stride(model, length);
  SlidingWindow::check_stride(model, length, stride);
  check(!config.strided || unit % 2 == 0, "strided inference takes the first halves of patches, and the model's have ", unit,
        unit == 1 ? " byte" : " bytes");
  return {length, stride};
}

Evaluation evaluate(const AnyModel& model, Workspace& workspace, const Data& data, const EvaluateConfig& config) {
  check(data.end > data.begin, "there is no data to evaluate on");
  const auto [length, stride] = windows_of(model, config);
  const RecordConfig record = model.record();
  const Scan scan(record);
  check(scan.keeps_order() || !config.losses || config.max_bytes == 0 || record.bytes <= length,
        "the losses of a sample cannot be put into the order of the file where windows are parts of records; read all");
  WindowBatch batch(model, workspace, data, scan, config);
  const detail::EvaluationWindows windows(data, length, stride, scan);
  batch.result.left_out = windows.left_out();
  const std::int64_t all = windows.count();
  check(all > 0, "there is no data to evaluate on",
        windows.left_out() > 0 ? text(": no file has a whole record of ", record.bytes, " bytes") : "");
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
  return evaluate(model, workspace, Data{{&file, 1}, 0, file.size, read}, config);
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/record_scorer.h"

#include <algorithm>
#include <numbers>
#include <tuple>

#include "megalith/core/check.h"

namespace megalith {

RecordScorer::RecordScorer(const AnyModel& model, Workspace& workspace)
    : model_(model), workspace_(workspace), slide_(SlidingWindow::of_stream(model)), windows_(model) {
  const RecordConfig record = model.record();
  check(record.scan.kind == ScanKind::none, "the model reads ", in_words(record),
        ", and lines or other short pieces by themselves have no such order; score whole files");
}

std::span<const float> RecordScorer::score(std::span<const std::string_view> records) {
  waiting_.clear();
  std::size_t bytes = 0;
  for (const std::string_view record : records) bytes += record.size();
  bits_.resize(bytes);
  std::size_t to = 0;
  for (const std::string_view record : records) {
    if (slide_.endless() && std::ssize(record) > stream_piece(model_)) score_in_pieces(record, to);
    else add_windows(record, to);
    to += record.size();
  }
  const auto shape = [](const Window& w) { return std::tuple(w.context, w.padded); };
  std::stable_sort(waiting_.begin(), waiting_.end(), [&](const Window& a, const Window& b) { return shape(a) < shape(b); });
  for (std::span<const Window> left = waiting_; !left.empty();) {
    const auto other = std::find_if(left.begin(), left.end(), [&](const Window& w) { return shape(w) != shape(left[0]); });
    const Index same = other - left.begin();
    const auto n = static_cast<std::size_t>(std::min(same, windows_.at_once(left[0].padded, left[0].context)));
    score_together(left.first(n));
    left = left.subspan(n);
  }
  return bits_;
}

void RecordScorer::add_windows(std::string_view record, std::size_t to) {
  const Index unit = model_.unit(), size = std::ssize(record);
  for (Index start = 0, context = 0; start + context < size; start += slide_.stride, context = slide_.context()) {
    const Index n = std::min(slide_.length, size - start);
    waiting_.push_back({record.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(n)), context,
                        (n + unit - 1) / unit * unit, to + static_cast<std::size_t>(start + context)});
  }
}

/// Without windows, in the memory of a piece.
void RecordScorer::score_in_pieces(std::string_view record, std::size_t to) {
  const Index unit = model_.unit(), piece = stream_piece(model_);
  if (!carried_) carried_ = model_.make_state(1);
  carried_->reset();
  for (Index start = 0; start < std::ssize(record); start += piece) {
    const auto part = record.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(piece));
    const Index padded = (std::ssize(part) + unit - 1) / unit * unit;
    batch_.assign(static_cast<std::size_t>(padded), 0);
    std::copy(part.begin(), part.end(), batch_.begin());
    losses_.resize(batch_.size());
    model_.score(Context(workspace_), {batch_.data(), 1, padded}, losses_, carried_.get());
    for (std::size_t i = 0; i < part.size(); ++i)
      bits_[to++] = static_cast<float>(static_cast<double>(losses_[i]) / std::numbers::ln2);
  }
}

void RecordScorer::score_together(std::span<const Window> windows) {
  const Index padded = windows[0].padded, context = windows[0].context, fresh = padded - context;
  const auto count = static_cast<Index>(windows.size());
  batch_.assign(windows.size() * static_cast<std::size_t>(padded), 0);
  losses_.resize(windows.size() * static_cast<std::size_t>(fresh));
  for (Index b = 0; b < count; ++b) {
    const std::string_view bytes = windows[static_cast<std::size_t>(b)].bytes;
    std::copy(bytes.begin(), bytes.end(), batch_.begin() + b * padded);
  }
  windows_.score(Context(workspace_), {batch_.data(), count, padded}, context, losses_);
  for (Index b = 0; b < count; ++b) {
    const Window& window = windows[static_cast<std::size_t>(b)];
    for (Index i = 0; i < std::ssize(window.bytes) - context; ++i)  // what comes behind is padding
      bits_[window.to + static_cast<std::size_t>(i)] =
          static_cast<float>(static_cast<double>(losses_[static_cast<std::size_t>(b * fresh + i)]) / std::numbers::ln2);
  }
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/generator.h"

#include <algorithm>
#include <numeric>

#include "megalith/core/check.h"

namespace megalith {

Generator::Generator(const AnyModel& model, const SamplingConfig& config, int threads, Index streams)
    : model_(model), config_(config), workspace_(std::max(threads, 1)), length_(model.config().length) {
  config.validate();
  check(threads >= 1, "threads is ", threads, ", and must be 1 or more");
  check(streams >= 1, "streams is ", streams, ", and must be 1 or more");
  Index unit = 1;
  for (const ScaleConfig& scale : model.config().scales) unit = std::lcm(unit, scale.unit);
  hop_ = length_ - length_ / 2 / unit * unit;
  windows_.resize(static_cast<std::size_t>(streams));
  logits_.resize(static_cast<std::size_t>(streams * kByteValues));
  next_.resize(static_cast<std::size_t>(streams));
  state_ = model.make_state(streams);
}

Generator::~Generator() = default;

void Generator::prompt(std::span<const std::uint8_t> bytes) {
  const std::int64_t end = position_ + std::ssize(bytes);
  move_window(window_start(end));
  // What comes before the window in which the next byte will be predicted is never looked at.
  const std::int64_t unseen = std::clamp<std::int64_t>(start_ - position_, 0, std::ssize(bytes));
  for (auto& window : windows_) window.insert(window.end(), bytes.begin() + unseen, bytes.end());
  position_ = end;
}

void Generator::prompt(std::string_view bytes) {
  prompt(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::uint8_t Generator::next() {
  check(windows_.size() == 1, "this generator has ", windows_.size(), " streams; call next_of_each()");
  return next_of_each()[0];
}

std::span<const std::uint8_t> Generator::next_of_each() {
  move_window(window_start(position_));
  read_pending();
  const Context ctx(workspace_);
  model_.next(ctx, *state_, logits_);
  for (std::size_t s = 0; s < next_.size(); ++s) {
    const auto logits = std::span<const float>(logits_).subspan(s * kByteValues, kByteValues);
    next_[s] = sample(logits, config_, RandomKey{config_.seed}.child(s), static_cast<std::uint64_t>(position_));
    windows_[s].push_back(next_[s]);
  }
  model_.accept(next_, *state_);
  ++read_;
  ++position_;
  return next_;
}

/// Where the window starts in which the byte at `position` is predicted: the first has room for bytes [0, L), and each later
/// one for `hop` more.
std::int64_t Generator::window_start(std::int64_t position) const {
  return position < length_ ? 0 : ((position - length_) / hop_ + 1) * hop_;
}

void Generator::move_window(std::int64_t start) {
  if (start == start_) return;
  for (auto& window : windows_) {
    window.erase(window.begin(), window.begin() + std::min<std::int64_t>(start - start_, std::ssize(window)));
    window.reserve(static_cast<std::size_t>(length_));
  }
  start_ = start;
  read_ = 0;
  state_ = model_.make_state(std::ssize(windows_));
}

void Generator::read_pending() {
  const Index n = std::ssize(windows_[0]) - read_;
  if (n == 0) return;
  pending_.clear();
  for (const auto& window : windows_) pending_.insert(pending_.end(), window.begin() + read_, window.end());
  model_.read(Context(workspace_), {pending_.data(), std::ssize(windows_), n}, *state_);
  read_ += n;
}

}  // namespace megalith

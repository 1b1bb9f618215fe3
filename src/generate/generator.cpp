// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/generator.h"

#include <algorithm>
#include <limits>

#include "megalith/core/check.h"

namespace megalith {

Generator::Generator(const AnyModel& model, const SamplingConfig& config, int threads, Index streams, Index first_stream)
    : model_(&model),
      config_(config),
      workspace_(std::max(threads, 1)),
      first_stream_(first_stream),
      length_(model.max_length().value_or(std::numeric_limits<Index>::max())) {
  config.validate();
  check(threads >= 1, "threads is ", threads, ", and must be 1 or more");
  check(streams >= 1, "streams is ", streams, ", and must be 1 or more");
  check(first_stream >= 0, "first_stream is ", first_stream, ", and must be 0 or more");
  hop_ = length_ - length_ / 2 / model.unit() * model.unit();
  windows_.resize(static_cast<std::size_t>(streams));
  logits_.resize(static_cast<std::size_t>(streams * kByteValues));
  next_.resize(static_cast<std::size_t>(streams));
  if (config.repetition_penalty != 1) recent_.assign(windows_.size(), RecentBytes(config.repetition_window));
  together_ = model.batch_invariant() ? streams : 1;
  start_states();
}

Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

void Generator::prompt(std::span<const std::uint8_t> bytes) {
  const std::int64_t end = position_ + std::ssize(bytes);
  move_window(window_start(end));
  // What comes before the window in which the next byte will be predicted is never looked at.
  const std::int64_t unseen = std::clamp<std::int64_t>(start_ - position_, 0, std::ssize(bytes));
  for (auto& window : windows_) window.insert(window.end(), bytes.begin() + unseen, bytes.end());
  for (RecentBytes& recent : recent_) recent.add(bytes);
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
  const std::size_t rows = static_cast<std::size_t>(together_);
  for (std::size_t i = 0; i < states_.size(); ++i)
    model_->next(ctx, *states_[i], std::span(logits_).subspan(i * rows * kByteValues, rows * kByteValues));
  try {
    for (Index s = 0; s < std::ssize(next_); ++s) next_[static_cast<std::size_t>(s)] = draw(s);
  } catch (...) {  // the states are ahead of the windows now: the next call starts from the windows
    read_ = 0;
    start_states();
    throw;
  }
  for (std::size_t s = 0; s < next_.size(); ++s) {
    windows_[s].push_back(next_[s]);
    if (!recent_.empty()) recent_[s].add({&next_[s], 1});
  }
  for (std::size_t i = 0; i < states_.size(); ++i)
    model_->accept(std::span<const std::uint8_t>(next_).subspan(i * rows, rows), *states_[i]);
  ++read_;
  ++position_;
  return next_;
}

std::uint8_t Generator::draw(Index stream) {
  const std::size_t s = static_cast<std::size_t>(stream);
  const auto logits = std::span(logits_).subspan(s * kByteValues, kByteValues);
  if (!recent_.empty()) penalise_repetition(logits, recent_[s], config_.repetition_penalty);
  const RandomKey key = RandomKey{config_.seed}.child(static_cast<std::uint64_t>(first_stream_ + stream));
  return sample(logits, config_, key, static_cast<std::uint64_t>(position_));
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
  start_states();
}

void Generator::start_states() {
  states_.resize(windows_.size() / static_cast<std::size_t>(together_));
  for (auto& state : states_) state = model_->make_state(together_);
}

void Generator::read_pending() {
  const Index n = std::ssize(windows_[0]) - read_;
  if (n == 0) return;
  auto window = windows_.begin();
  for (const auto& state : states_) {
    pending_.clear();
    for (Index s = 0; s < together_; ++s, ++window) pending_.insert(pending_.end(), window->begin() + read_, window->end());
    model_->read(Context(workspace_), {pending_.data(), together_, n}, *state);
  }
  read_ += n;
}

}  // namespace megalith

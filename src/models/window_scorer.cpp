// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/window_scorer.h"

namespace megalith {

Index WindowScorer::at_once(Index length, Index context) const {
  constexpr double kMaxState = 256.0 * 1024 * 1024;
  const Index most = windows_at_once(length);
  if (context == 0) return most;
  return std::clamp(static_cast<Index>(kMaxState / model_->summary().state_bytes(1, length)), Index{1}, most);
}

void WindowScorer::score(const Context& ctx, Bytes windows, Index context, std::span<float> losses) {
  if (context == 0) return model_->score(ctx, windows, losses);
  context_.clear();
  scored_.clear();
  for (Index b = 0; b < windows.B; ++b) {
    const std::uint8_t* const row = windows.row(b);
    context_.insert(context_.end(), row, row + context);
    scored_.insert(scored_.end(), row + context, row + windows.T);
  }
  if (state_ == nullptr || state_->batch() != windows.B || room_ < windows.T) {
    state_.reset();  // before there is another one
    state_ = model_->make_state(windows.B, windows.T);
    room_ = windows.T;
  } else {
    state_->reset();
  }
  model_->read(ctx, {context_.data(), windows.B, context}, *state_);
  model_->score(ctx, {scored_.data(), windows.B, windows.T - context}, losses, state_.get());
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "streams.h"

#include <algorithm>

namespace megalith::detail {

Streams::Streams(const AnyModel& model, Index streams, Index length) : model_(model), length_(length) {
  for (Index s = 0; s < streams; ++s) states_.push_back(model.make_state(1));
  gradient_ = states_.front()->clone();
}

void Streams::train(const Context& ctx, Index stream, std::span<const std::uint8_t> bytes, std::span<const Index> beginnings,
                    float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape) {
  AnyState& state = *states_[static_cast<std::size_t>(stream)];
  const Context own = ctx.from_sequence(stream);
  const auto losses_at = [&](Index begin, Index n) {
    return losses.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(n));
  };
  const auto bytes_at = [&](Index begin, Index n) { return Bytes{bytes.data() + begin, 1, n}; };

  const Index all = std::ssize(bytes);
  for (Index begin = 0, end; begin < all; begin = end) {
    const auto next = std::upper_bound(beginnings.begin(), beginnings.end(), begin);
    end = next == beginnings.end() ? all : *next;
    const bool afresh = next != beginnings.begin() && *(next - 1) == begin;
    if (afresh) state.reset();
    if (end - begin <= length_) {
      model_.train(own, bytes_at(begin, end - begin), scale, losses_at(begin, end - begin), grad, tape, &state);
      continue;
    }
    const Index pieces = (end - begin - 1) / length_ + 1;
    const auto piece_at = [&](Index i) { return begin + i * length_; };
    before_.clear();
    for (Index i = 0; i + 1 < pieces; ++i) {
      before_.push_back(state.clone());
      model_.score(own, bytes_at(piece_at(i), length_), losses_at(piece_at(i), length_), &state);
    }
    gradient_->set_zero();
    for (Index i = pieces - 1; i >= 0; --i) {
      AnyState& received = i + 1 < pieces ? *before_[static_cast<std::size_t>(i)] : state;
      const Index n = std::min(length_, end - piece_at(i));
      model_.train(own, bytes_at(piece_at(i), n), scale, losses_at(piece_at(i), n), grad, tape, &received, gradient_.get());
    }
  }
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Whether the caller of a team had better work alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "megalith/core/shape.h"
#include "own_thread.h"

namespace megalith::detail {

/// On a crowded machine a thread that looks out for the next short region takes time from the caller rather than work: the
/// system shares the cores out by threads. So the caller looks now and then whether it lost its core to others; while it
/// does, and regions are short, it works alone, and looks less and less often.
class Crowd {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kBetweenLooks{4000}, kShortRegion{50};
  /// The part of the caller's time that others must take to count. One of low priority takes a hundredth in the long run.
  static constexpr int kShareTaken = 8;   // one in so many
  static constexpr int kMostAlone = 128;  // times as long as between two looks

  /// Asked before each region. use() is the CoreUse of the caller; it costs a system call and is asked at a look only.
  template <class Use>
  bool works_alone(Clock::time_point now, const Use& use) {
    if (now >= next_look_) look(now, use());
    ++regions_;
    return alone_;
  }

 private:
  void look(Clock::time_point now, const CoreUse& use) {
    const CoreUse before = std::exchange(use_, use);
    const auto passed = now - std::exchange(last_look_, now);
    const auto computed = use.time - before.time;
    const bool short_regions = computed < regions_ * kShortRegion;
    regions_ = 0;
    alone_ = use.taken != before.taken && kShareTaken * (passed - computed) > passed && short_regions;
    times_between_looks_ = alone_ ? std::min(4 * times_between_looks_, kMostAlone) : 1;
    next_look_ = now + times_between_looks_ * kBetweenLooks;
  }

  Clock::time_point next_look_{}, last_look_{};
  bool alone_ = false;
  int times_between_looks_ = 1;
  Index regions_ = 0;
  CoreUse use_;
};

}  // namespace megalith::detail

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
/// system shares the cores out by threads. So the caller looks now and then whether it lost its core to others; if it did,
/// and regions are short, it works alone for a while, and for longer each time that it finds the same again.
class Crowd {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kBetweenLooks{4000}, kShortRegion{50};
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
    const bool crowded = use.taken != before.taken && use.time - before.time < regions_ * kShortRegion;
    regions_ = 0;
    // After a while alone the threads work together again until the next look.
    alone_ = crowded && !alone_;
    if (alone_) times_alone_ = std::min(4 * times_alone_, kMostAlone);
    else if (!crowded) times_alone_ = 1;
    next_look_ = now + (alone_ ? times_alone_ : 1) * kBetweenLooks;
  }

  Clock::time_point next_look_{};
  bool alone_ = false;
  int times_alone_ = 1;
  Index regions_ = 0;
  CoreUse use_;
};

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Which bytes a model sees of a sequence that is longer than its window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>

#include "megalith/core/check.h"
#include "megalith/models/any_model.h"

namespace megalith {

/// What the distance from the start of a window of `length` bytes to that of another is a multiple of: of the model's units
/// and records, so that each begins where windows of training do.
inline Index window_step(const AnyModel& model, Index length) {
  const Index record = model.record().bytes;
  return record >= length ? length : std::lcm(model.unit(), record);
}

/// From the start of a window to that of the next where nobody asks for another distance: as many bytes as training predicts
/// of a window, if windows may begin there, else all.
inline Index default_stride(const AnyModel& model, Index length) {
  const Index predicted = model.summary().predicted(length);
  return predicted % window_step(model, length) == 0 ? predicted : length;
}

/// Windows of `length` bytes of which each begins `stride` bytes after the one before: all but `stride` bytes of a full
/// window stay in view of the next byte.
struct SlidingWindow {
  static constexpr Index kNoEnd = std::numeric_limits<Index>::max();

  Index length = 0, stride = 0;

  /// Those of a model (AnyModel::window). A stride of 0 stands for half of its length, rounded up so that windows begin at
  /// its units and its records (window_step()), or for default_stride() where that is less. Where a window is a record or a
  /// part of one, each starts afresh. Without a window there is one for ever. Throws Error where the stride is no such
  /// multiple or longer than the window.
  static SlidingWindow of(const AnyModel& model, Index stride = 0) {
    const Index length = model.window().value_or(kNoEnd);
    const Index step = window_step(model, length);
    if (stride == 0) return {length, std::min(length - length / 2 / step * step, default_stride(model, length))};
    check_stride(model, length, stride);
    return {length, stride};
  }
  /// Those of a stream: of a model that reads sequences of any length one for ever, unless a stride is named.
  static SlidingWindow of_stream(const AnyModel& model, Index stride = 0) {
    if (stride == 0 && !model.max_length()) return {kNoEnd, kNoEnd};
    return of(model, stride);
  }
  /// Whether the first window never ends.
  bool endless() const { return length == kNoEnd; }
  /// Throws Error where windows of that length cannot follow one another so.
  static void check_stride(const AnyModel& model, Index length, Index stride) {
    const Index step = window_step(model, length), record = model.record().bytes;
    check(stride >= 1 && stride <= length && stride % step == 0, "the stride is ", stride, ", and must be a multiple of ",
          step, length < kNoEnd ? text(" up to ", length) : "",
          record > 1 ? text(": the model's windows begin at its records of ", record, " bytes") : "");
  }

  /// Where the window starts in which the byte at `position` is predicted: the first has room for bytes [0, length), and
  /// each later one for `stride` more.
  std::int64_t start(std::int64_t position) const {
    return position < length ? 0 : ((position - length) / stride + 1) * stride;
  }
  /// Bytes at the start of each window but the first that the window before had too.
  Index context() const { return length - stride; }
};

}  // namespace megalith

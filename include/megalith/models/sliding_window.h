// SPDX-License-Identifier: Apache-2.0
// Which bytes a model sees of a sequence that is longer than its window.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "megalith/core/check.h"
#include "megalith/models/any_model.h"

namespace megalith {

/// Windows of `length` bytes of which each begins `stride` bytes after the one before: all but `stride` bytes of a full
/// window stay in view of the next byte.
struct SlidingWindow {
  Index length = 0, stride = 0;

  /// Those of a model. A stride of 0 stands for half of its length (rounded up to its units), or for as many bytes as it was
  /// trained to predict at the end of a window where these are fewer. A model without a longest window has one window for
  /// ever. Throws Error where the stride is no multiple of the model's units or longer than its
  /// window.
  static SlidingWindow of(const AnyModel& model, Index stride = 0) {
    const Index length = model.max_length().value_or(std::numeric_limits<Index>::max()), unit = model.unit();
    if (stride == 0) return {length, std::min(length - length / 2 / unit * unit, model.summary().predicted(length))};
    check(stride >= 1 && stride <= length && stride % unit == 0, "the stride is ", stride, ", and must be a multiple of ",
          unit, model.max_length() ? text(" up to ", length) : "");
    return {length, stride};
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

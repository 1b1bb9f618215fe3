// SPDX-License-Identifier: Apache-2.0
// Sizes. Capital letters have one meaning everywhere: B batch, T time (bytes or patches), C channels, H heads, D head width,
// F feed-forward width, E width of a byte's embedding, P bytes per patch, K patches, V byte values, L layers, W attention
// window. The sizes of a matrix product are words: rows, columns, and depth, which both operands share.
#pragma once

#include <cstddef>

namespace megalith {

using Index = std::ptrdiff_t;

/// V: a byte has this many values. There is no other vocabulary.
inline constexpr Index kByteValues = 256;

/// B sequences of T positions. A module knows its own number of channels, so a shape does not name it.
struct Shape {
  Index B = 0;
  Index T = 0;

  Index rows() const { return B * T; }
  bool operator==(const Shape&) const = default;
};

}  // namespace megalith

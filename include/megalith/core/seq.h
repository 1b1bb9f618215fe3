// SPDX-License-Identifier: Apache-2.0
// The views that modules pass around: activations (B,T,C) and bytes (B,T).
#pragma once

#include <cassert>
#include <cstdint>
#include <type_traits>

#include "megalith/core/scalar.h"
#include "megalith/core/shape.h"

namespace megalith {

/// A view of contiguous activations (B,T,C), row-major. Owns nothing.
template <class S>
struct Seq {
  S* data = nullptr;
  Index B = 0, T = 0, C = 0;

  Index row_count() const { return B * T; }
  Index size() const { return B * T * C; }
  Shape shape() const { return {B, T}; }
  S* row(Index i) const { return data + i * C; }
  /// (B*T, C) as an Eigen view.
  MatrixMap<S> rows() const { return {data, B * T, C}; }
  /// All numbers as one Eigen row.
  RowMap<S> vec() const { return {data, B * T * C}; }
  /// Sequences [b, b + n).
  Seq sequences(Index b, Index n) const {
    assert(b >= 0 && b + n <= B);
    return {data + b * T * C, n, T, C};
  }
  /// The same memory read as (B,T,C) of other sizes.
  Seq viewed_as(Index b, Index t, Index c) const {
    assert(b * t * c == size());
    return {data, b, t, c};
  }
  operator Seq<const S>() const
    requires(!std::is_const_v<S>)
  {
    return {data, B, T, C};
  }
};

/// A view of contiguous bytes (B,T). Owns nothing.
struct Bytes {
  const std::uint8_t* data = nullptr;
  Index B = 0, T = 0;

  const std::uint8_t* row(Index b) const { return data + b * T; }
  Shape shape() const { return {B, T}; }
};

}  // namespace megalith

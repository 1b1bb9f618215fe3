// SPDX-License-Identifier: Apache-2.0
// What forward and backward of moving averages share.
#pragma once

#include <algorithm>

#include "megalith/core/seq.h"
#include "megalith/kernels/gemm.h"
#include "megalith/kernels/lanes.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Numbers of one kind for N states of D channels: of each state `per_state` rows, and one more for all states together.
/// Blocks of kSize channels lie one behind the other, with all rows of a block, the last one filled up. Owns nothing.
template <class S, Index per_state>
struct EmaTable {
  static constexpr Index kSize = Lanes<S>::kSize;
  S* data = nullptr;
  Index N = 0, D = 0;

  Index rows() const { return N * per_state + 1; }
  Index blocks() const { return (D + kSize - 1) / kSize; }
  /// Row r of state n of a block; of state N row 0.
  S* row(Index block, Index n, Index r) const { return data + (block * rows() + n * per_state + r) * kSize; }
  S& at(Index n, Index r, Index d) const { return row(d / kSize, n, r)[d % kSize]; }
  static Index size(Index N, Index D) { return (N * per_state + 1) * ((D + kSize - 1) / kSize * kSize); }
};

namespace detail {

/// Rows of a sequence that are treated at once, and between two states that a tape keeps: their x, y and one state of them
/// all fit into L1.
inline constexpr Index kEmaRows = 64;
inline Index ema_pieces(Index T) { return (T + kEmaRows - 1) / kEmaRows; }

template <class S, bool complex>
class EmaCall {
 public:
  static constexpr Index kParts = complex ? 2 : 1;
  // The rows of a state. Of complex ones the negative imaginary parts are there too, so that all is multiply-adds.
  enum Coefficient : Index { kQ, kQIm, kMinusQIm, kComplexK, kMinusKIm, kComplexCoefficients };
  static constexpr Index kK = complex ? Index(kComplexK) : 1;
  static constexpr Index kCoefficients = complex ? Index(kComplexCoefficients) : 2;
  using Coefficients = EmaTable<S, kCoefficients>;  // and the skip
  using Gradient = EmaTable<S, 2 * kParts>;         // of q, then of k, by parts; and of the skip

 protected:
  using Row = Lanes<S>;
  static constexpr Index kSize = Row::kSize;

  EmaCall(const Context& ctx, const Coefficients& c, Seq<const S> x) : ctx_(ctx), c_(c), x_(x) {}

  Index N() const { return c_.N; }
  Index numbers() const { return kParts * c_.N; }  // of the states of a channel
  Index blocks() const { return c_.blocks(); }
  Index lanes(Index block) const { return std::min(kSize, x_.C - block * kSize); }
  /// Blocks of channels in a task, each of so many rows.
  Index per_task(Index rows) const { return std::max<Index>(1, 1024 / std::max<Index>(1, rows * N())); }

  /// `count` channels of each row, rows that are `stride` numbers apart, to rows of kSize, one behind the other, filled up
  /// with 0.
  static void gather(const S* from, Index stride, Index rows, Index count, S* to) {
    for (Index i = 0; i < rows; ++i) {
      std::copy_n(from + i * stride, count, to + i * kSize);
      std::fill(to + i * kSize + count, to + (i + 1) * kSize, S(0));
    }
  }
  static void scatter(const S* from, Index stride, Index rows, Index count, S* to) {
    for (Index i = 0; i < rows; ++i) std::copy_n(from + i * kSize, count, to + i * stride);
  }
  Row skip(Index block) const { return Row::load(c_.row(block, N(), 0)); }

  const Context& ctx_;
  const Coefficients& c_;
  const Seq<const S> x_;
};

}  // namespace detail
}  // namespace megalith

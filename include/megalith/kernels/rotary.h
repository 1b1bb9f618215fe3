// SPDX-License-Identifier: Apache-2.0
// Rotary positions (Su et al. 2021, "RoFormer").
#pragma once

#include <cmath>

#include "megalith/core/seq.h"
#include "megalith/runtime/context.h"

namespace megalith {

enum class Turn { forward, back };

/// Rotates `heads` heads of width D, side by side in each row of x from channel `first` on: the pair (i, i + D/2) of the row
/// at position p turns by p * base^(-2i/D). Positions of each sequence start at `position`. Turn::back is the inverse
/// and the transpose: it takes the gradient of the output to that of the input.
template <class S>
void rotate(const Context& ctx, Seq<S> x, Index first, Index heads, Index D, Index position, double base, Turn turn) {
  assert(D % 2 == 0 && first + heads * D <= x.C);
  const Index half = D / 2;
  Frame frame(ctx.scratch());
  auto cosine = MatrixMap<S>(frame.take<S>(x.T * half), x.T, half);
  auto sine = MatrixMap<S>(frame.take<S>(x.T * half), x.T, half);
  ctx.parallel_ranges(half, 1, [&](Index i, Index, Arena&) {
    const double frequency = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(D));
    for (Index t = 0; t < x.T; ++t) {
      const double angle = static_cast<double>(position + t) * frequency;
      cosine(t, i) = S(std::cos(angle));
      sine(t, i) = S(turn == Turn::forward ? std::sin(angle) : -std::sin(angle));
    }
  });
  ctx.parallel_rows(x.row_count(), heads * D, [&](Index begin, Index end, Arena& arena) {
    Frame local(arena);
    auto old = row_map(local.take<S>(half), half).array();
    for (Index row = begin; row < end; ++row) {
      const auto c = cosine.row(row % x.T).array(), s = sine.row(row % x.T).array();
      for (Index h = 0; h < heads; ++h) {
        S* const head = x.row(row) + first + h * D;
        auto lower = row_map(head, half).array();
        auto upper = row_map(head + half, half).array();
        old = lower;
        lower = old * c - upper * s;
        upper = upper * c + old * s;
      }
    }
  });
}

}  // namespace megalith

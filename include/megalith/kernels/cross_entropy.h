// SPDX-License-Identifier: Apache-2.0
// Softmax cross-entropy over rows of logits.
#pragma once

#include <cmath>

#include "megalith/core/seq.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Each logit z becomes cap * tanh(z / cap); nothing happens where cap is 0.
template <class S>
void cap_logits(const Context& ctx, Seq<S> z, double cap) {
  if (cap <= 0) return;
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      row = (row * S(1 / cap)).tanh() * S(cap);
    }
  });
}

/// losses[i] = -log softmax(z_i)[bytes[i]], in nats. z is overwritten.
template <class S>
void cross_entropy_forward(const Context& ctx, Seq<S> z, const std::uint8_t* bytes, S* losses) {
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena&) {
    using std::log;
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      row -= row.maxCoeff();
      const S logit = row(bytes[i]);
      losses[i] = log(row.exp().sum()) - logit;
    }
  });
}

/// The same losses, and z becomes d(scale * sum of losses)/d(logits before the cap): scale (softmax(z) - onehot) (1 -
/// (z/cap)^2).
template <class S>
void cross_entropy_backward(const Context& ctx, Seq<S> z, const std::uint8_t* bytes, S scale, double cap, S* losses) {
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena& arena) {
    using std::log;
    Frame frame(arena);
    auto p = row_map(frame.take<S>(z.C), z.C).array();
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      p = row - row.maxCoeff();
      const S logit = p(bytes[i]);
      p = p.exp();
      const S sum = p.sum();
      losses[i] = log(sum) - logit;
      p *= S(1) / sum;
      p(bytes[i]) -= S(1);
      if (cap > 0) row = p * (S(1) - (row * S(1 / cap)).square()) * scale;
      else row = p * scale;
    }
  });
}

}  // namespace megalith

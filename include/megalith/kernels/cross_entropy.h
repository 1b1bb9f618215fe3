// SPDX-License-Identifier: Apache-2.0
// Softmax cross-entropy over rows of logits.
#pragma once

#include "megalith/core/seq.h"
#include "megalith/kernels/math.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// Each logit z becomes cap * tanh(z / cap); where cap is 0, z stays as it is.
template <class S>
void cap_logits(const Context& ctx, Seq<S> z, double cap) {
  if (cap <= 0) return;
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      row = math::tanh(row * S(1 / cap)) * S(cap);
    }
  });
}

/// losses[i] = -log softmax(z_i)[bytes[i]], in nats. z (rows, V) is overwritten.
template <class S>
void cross_entropy_forward(const Context& ctx, Seq<S> z, const std::uint8_t* bytes, S* losses) {
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      row -= math::max(row);
      const S logit = row(bytes[i]);
      losses[i] = math::log(math::sum(math::exp(row))) - logit;
    }
  });
}

/// The same losses, and z, the capped logits, becomes the gradient of scale * sum of losses by the logits before the cap:
/// scale (softmax(z) - onehot(byte)) (1 - (z / cap)^2), without the last factor where cap is 0.
template <class S>
void cross_entropy_backward(const Context& ctx, Seq<S> z, const std::uint8_t* bytes, S scale, double cap, S* losses) {
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena& arena) {
    Frame frame(arena);
    auto p = row_map(frame.take<S>(z.C), z.C).array();
    for (Index i = begin; i < end; ++i) {
      auto row = row_map(z.row(i), z.C).array();
      p = row - math::max(row);
      const S logit = p(bytes[i]);
      p = math::exp(p);
      const S sum = math::sum(p);
      losses[i] = math::log(sum) - logit;
      p *= S(1) / sum;
      p(bytes[i]) -= S(1);
      if (cap > 0) row = p * (S(1) - (row * S(1 / cap)).square()) * scale;
      else row = p * scale;
    }
  });
}

}  // namespace megalith

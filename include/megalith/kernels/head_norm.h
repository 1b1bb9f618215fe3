// SPDX-License-Identifier: Apache-2.0
// RMSNorm of single heads: queries and keys before attention (Henry et al. 2020, "Query-key normalization", with a gain).
#pragma once

#include "megalith/core/seq.h"
#include "megalith/core/tensor.h"
#include "megalith/kernels/math.h"
#include "megalith/runtime/context.h"

namespace megalith {

inline constexpr double kHeadNormEps = 1e-6;

namespace detail {
/// (mean(x^2) + eps)^(-1/2) of one head.
template <class S, class Row>
S inverse_rms(const Row& x) {
  using std::sqrt;
  return S(1) / sqrt(math::sum(x.array().square()) * S(1 / static_cast<double>(x.size())) + S(kHeadNormEps));
}
}  // namespace detail

/// In each row of x, each of the heads side by side from channel `first` on becomes gain * head / rms(head), over the head's
/// D channels. gain has D numbers.
template <class S>
void head_norm_forward(const Context& ctx, Seq<S> x, Index first, Index heads, const Tensor<S>& gain) {
  const Index D = gain.size();
  ctx.parallel_rows(x.row_count(), heads * D, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      for (Index h = 0; h < heads; ++h) {
        auto head = row_map(x.row(i) + first + h * D, D);
        const S r = detail::inverse_rms<S>(head);
        head.array() = head.array() * r * gain.vec().array();
      }
    }
  });
}

/// x holds the heads before head_norm_forward. d is the gradient of its output and becomes that of x; the gain's is added to
/// dgain.
template <class S>
void head_norm_backward(const Context& ctx, Seq<const S> x, Index first, Index heads, const Tensor<S>& gain, Seq<S> d,
                        Tensor<S>& dgain) {
  constexpr Index kRowsPerTask = 64;
  const Index D = gain.size(), tasks = (x.row_count() + kRowsPerTask - 1) / kRowsPerTask;
  Frame frame(ctx.scratch());
  S* const partial = frame.take<S>(tasks * D);  // of dgain: a row of each task, added in the order of tasks
  ctx.parallel_for(tasks, [&](Index task, Arena& arena) {
    Frame local(arena);
    auto u = row_map(local.take<S>(D), D).array();
    auto sum = row_map(partial + task * D, D).array();
    sum.setConstant(S(0));
    const Index end = std::min((task + 1) * kRowsPerTask, x.row_count());
    for (Index i = task * kRowsPerTask; i < end; ++i) {
      for (Index h = 0; h < heads; ++h) {
        // forward was: y = gain r x, r = (mean(x^2) + eps)^(-1/2). With u = gain dy: dx = r u - r^3 x mean(u x).
        const auto head = row_map(x.row(i) + first + h * D, D).array();
        auto dy = row_map(d.row(i) + first + h * D, D).array();
        const S r = detail::inverse_rms<S>(head);
        u = gain.vec().array() * dy;
        sum += dy * head * r;
        const S mean_ux = math::sum(u * head) * S(1 / static_cast<double>(D));
        dy = u * r - head * (r * r * r * mean_ux);
      }
    }
  });
  for (Index task = 0; task < tasks; ++task) dgain.vec() += row_map(partial + task * D, D);
}

}  // namespace megalith

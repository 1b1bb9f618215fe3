// SPDX-License-Identifier: Apache-2.0
// Queries and keys made of the same numbers (Ma et al. 2022, 3.3; Ma et al. 2024, eq. 6 to 8).
#pragma once

#include "megalith/core/seq.h"
#include "megalith/kernels/column_sum.h"
#include "megalith/kernels/math.h"

namespace megalith {

/// Gains and biases of queries, then of keys: (2, heads * D) each.
template <class S>
struct SharedHeads {
  S* gain = nullptr;
  S* bias = nullptr;
  Index heads = 1, D = 0;
  static constexpr double kEps = 1e-5;

  Index channels() const { return heads * D; }
};

namespace detail {
/// (mean(z^2) + eps)^(-1/2) of head h of row i of z.
template <class S>
S inverse_rms_of(const SharedHeads<const S>& p, Seq<const S> z, Index i, Index h) {
  using std::sqrt;
  const auto head = row_map(z.row(i) + h * p.D, p.D).array();
  return S(1) / sqrt(math::sum(head.square()) * S(1 / static_cast<double>(p.D)) + S(SharedHeads<S>::kEps));
}
}  // namespace detail

/// Each row begins with q = n gain_q / sqrt(D) + bias_q, and then k likewise, where each head of n is that of z over its
/// root mean square.
template <class S>
void shared_heads_forward(const Context& ctx, const SharedHeads<const S>& p, Seq<const S> z, Seq<S> rows) {
  const S scale = S(1 / std::sqrt(static_cast<double>(p.D)));
  ctx.parallel_rows(z.row_count(), 2 * z.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      for (Index h = 0; h < p.heads; ++h) {
        const S r = detail::inverse_rms_of(p, z, i, h) * scale;
        for (Index of = 0; of < 2; ++of) {
          const Index at = of * z.C + h * p.D;
          row_map(rows.row(i) + at, p.D).array() =
              row_map(z.row(i) + h * p.D, p.D).array() * r * row_map(p.gain + at, p.D).array() +
              row_map(p.bias + at, p.D).array();
        }
      }
    }
  });
}

/// d_rows begin with the gradients of q and k; dz is written, those of gains and biases are added to.
template <class S>
void shared_heads_backward(const Context& ctx, const SharedHeads<const S>& p, Seq<const S> z, Seq<const S> d_rows, Seq<S> dz,
                           const SharedHeads<S>& d) {
  const S scale = S(1 / std::sqrt(static_cast<double>(p.D))), mean = S(1 / static_cast<double>(p.D));
  Frame frame(ctx.scratch());
  S* const r = frame.take<S>(z.row_count() * p.heads);
  ctx.parallel_rows(z.row_count(), z.C, [&](Index begin, Index end, Arena& arena) {
    Frame local(arena);
    auto u = row_map(local.take<S>(p.D), p.D).array();
    for (Index i = begin; i < end; ++i) {
      for (Index h = 0; h < p.heads; ++h) {
        // With n = z r and u = dL/dn: dz = r (u - n mean(u n)).
        const auto part = [&](const S* row, Index of) { return row_map(row + of * z.C + h * p.D, p.D).array(); };
        const auto head = part(z.row(i), 0);
        const S ri = detail::inverse_rms_of(p, z, i, h);
        r[i * p.heads + h] = ri;
        u = (part(d_rows.row(i), 0) * part(p.gain, 0) + part(d_rows.row(i), 1) * part(p.gain, 1)) * scale;
        row_map(dz.row(i) + h * p.D, p.D).array() = (u - head * (ri * ri * mean * math::sum(u * head))) * ri;
      }
    }
  });
  for (Index of = 0; of < 2; ++of) {
    const auto sum = [&](S* total, auto&& f) { add_row_sums<S>(ctx, z.row_count(), row_map(total + of * z.C, z.C), f); };
    sum(d.bias,
        [&](Index i, Index first, RowMap<S> total) { total += row_map(d_rows.row(i) + of * z.C + first, total.size()); });
    sum(d.gain, [&](Index i, Index first, RowMap<S> total) {
      for (Index h = first / p.D, c = first, end = first + total.size(), stop = 0; c < end; c = stop, ++h) {
        stop = std::min(end, (h + 1) * p.D);
        total.segment(c - first, stop - c).array() += row_map(d_rows.row(i) + of * z.C + c, stop - c).array() *
                                                      row_map(z.row(i) + c, stop - c).array() * (r[i * p.heads + h] * scale);
      }
    });
  }
}

}  // namespace megalith

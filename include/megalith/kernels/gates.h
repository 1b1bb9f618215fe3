// SPDX-License-Identifier: Apache-2.0
// Gates over rows, some of whose operands are columns of wider rows.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/kernels/gemm.h"

namespace megalith {

/// Channels [first, first + count) of each row.
template <class S>
Mat<S> columns(Seq<S> x, Index first, Index count) {
  return Mat<S>(x).block(0, first, x.row_count(), count);
}

/// A row of a Mat, to be read or to be written.
template <class S>
struct MatRow {
  S* data;
  Index size;

  RowMap<const S> in() const { return {data, size}; }
  RowMap<S> out() const { return {data, size}; }
};

/// f(row...) for each row of matrices of one number of rows.
template <class S, class F, class... M>
void for_each_row(const Context& ctx, F&& f, const Mat<S>& first, const M&... others) {
  ctx.parallel_rows(first.rows, first.cols, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i)
      f(MatRow<S>{first.data + i * first.stride, first.cols}, MatRow<S>{others.data + i * others.stride, others.cols}...);
  });
}

/// y = silu(x).
template <class S>
void silu_forward(const Context& ctx, Mat<S> x, Mat<S> y) {
  for_each_row<S>(
      ctx, [](auto xi, auto yi) { Silu::forward<S>(xi.in(), yi.out()); }, x, y);
}
/// dx = silu'(x) dy. They do not overlap.
template <class S>
void silu_backward(const Context& ctx, Mat<S> x, Mat<S> dy, Mat<S> dx) {
  for_each_row<S>(
      ctx, [](auto xi, auto dyi, auto dxi) { Silu::backward<S>(xi.in(), dyi.in(), dxi.out()); }, x, dy, dx);
}

/// y = silu(gate) x.
template <class S>
void silu_gate_forward(const Context& ctx, Mat<S> gate, Mat<S> x, Mat<S> y) {
  for_each_row<S>(
      ctx, [](auto gi, auto xi, auto yi) { SwiGlu::forward<S>(gi.in(), xi.in(), yi.out()); }, gate, x, y);
}
/// They do not overlap.
template <class S>
void silu_gate_backward(const Context& ctx, Mat<S> gate, Mat<S> x, Mat<S> dy, Mat<S> d_gate, Mat<S> dx) {
  for_each_row<S>(
      ctx,
      [](auto gi, auto xi, auto dyi, auto dgi, auto dxi) {
        SwiGlu::backward<S>(gi.in(), xi.in(), dyi.in(), dgi.out(), dxi.out());
      },
      gate, x, dy, d_gate, dx);
}

/// y = x + sigmoid(gate) (h - x). y may be h.
template <class S>
void update_gate_forward(const Context& ctx, Mat<S> gate, Mat<S> h, Seq<const S> x, Mat<S> y) {
  ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      const auto g = row_map(gate.data + i * gate.stride, x.C).array();
      const auto hi = row_map(h.data + i * h.stride, x.C).array();
      const auto xi = row_map(x.row(i), x.C).array();
      row_map(y.data + i * y.stride, x.C).array() = xi + (hi - xi) / (math::exp(-g) + S(1));
    }
  });
}
/// dh may be h; nothing else overlaps.
template <class S>
void update_gate_backward(const Context& ctx, Mat<S> gate, Mat<S> h, Seq<const S> x, Seq<const S> dy, Mat<S> d_gate,
                          Mat<S> dh, Seq<S> dx) {
  ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
    for (Index i = begin; i < end; ++i) {
      const auto row = [&](const Mat<S>& m) { return row_map(m.data + i * m.stride, x.C).array(); };
      const auto xi = row_map(x.row(i), x.C).array(), dyi = row_map(dy.row(i), x.C).array();
      auto dxi = row_map(dx.row(i), x.C).array(), u = row(d_gate);
      // With u = sigmoid(gate): du = dy (h - x), d_gate = du u (1 - u), dh = dy u, dx = dy (1 - u).
      u = (math::exp(-row(gate)) + S(1)).inverse();
      dxi = dyi * u;
      row(d_gate) = dxi * (row(h) - xi) * (S(1) - u);
      row(dh) = dxi;
      dxi = dyi - dxi;
    }
  });
}

}  // namespace megalith

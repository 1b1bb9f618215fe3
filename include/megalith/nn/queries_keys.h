// SPDX-License-Identifier: Apache-2.0
// Queries and keys that differ by a gain and a bias alone.
#pragma once

#include "megalith/kernels/gates.h"
#include "megalith/nn/module.h"

namespace megalith {

/// q = silu(z) gain_q + bias_q and k = silu(z) gain_k + bias_k, side by side, for each of Z channels (Ma et al. 2022, eq. 8
/// to 10, where the gains are kappa and the biases mu). A part of attention, and no module: z stands in wider rows.
template <class S>
struct QueriesKeys {
  Tensor<S> gain, bias;  // (2, Z): of queries, of keys

  QueriesKeys() = default;
  explicit QueriesKeys(Index Z) : gain({2, Z}), bias({2, Z}) {}

  Index channels() const { return gain.cols(); }

  /// The first 2 Z channels of the rows of y.
  void forward(const Context& ctx, Mat<S> z, Seq<S> y) const {
    const Index Z = channels();
    for_each_row<S>(
        ctx,
        [&](auto zi, auto q, auto k) {
          Silu::forward<S>(zi.in(), k.out());
          q.out().array() = k.in().array() * row_map(gain.row(0), Z).array() + row_map(bias.row(0), Z).array();
          k.out().array() = k.in().array() * row_map(gain.row(1), Z).array() + row_map(bias.row(1), Z).array();
        },
        z, columns(y, 0, Z), columns(y, Z, Z));
  }

  /// d_rows begin with the gradients of q and k; dz is written, and does not overlap them.
  void backward(const Context& ctx, Mat<S> z, Seq<S> d_rows, Mat<S> dz, QueriesKeys& grad) const {
    const Index Z = channels();
    Frame frame(ctx.scratch());
    const Seq<S> active = frame.seq<S>(1, z.rows, Z);
    // With a = silu(z): da = dq gain_q + dk gain_k, d_gain = sum of dq a and of dk a.
    for_each_row<S>(
        ctx,
        [&](auto zi, auto dq, auto dk, auto ai, auto dzi) {
          ai.out().array() =
              dq.in().array() * row_map(gain.row(0), Z).array() + dk.in().array() * row_map(gain.row(1), Z).array();
          Silu::backward<S>(zi.in(), ai.in(), dzi.out());
          Silu::forward<S>(zi.in(), ai.out());
        },
        z, columns(d_rows, 0, Z), columns(d_rows, Z, Z), Mat<S>(active), dz);
    for (Index of = 0; of < 2; ++of) {
      const auto d = [&](Index i, Index first, Index count) {
        return row_map(d_rows.row(i) + of * Z + first, count).array();
      };
      add_row_sums<S>(ctx, z.rows, row_map(grad.bias.row(of), Z),
                      [&](Index i, Index first, RowMap<S> total) { total.array() += d(i, first, total.size()); });
      add_row_sums<S>(ctx, z.rows, row_map(grad.gain.row(of), Z), [&](Index i, Index first, RowMap<S> total) {
        total.array() += d(i, first, total.size()) * row_map(active.row(i) + first, total.size()).array();
      });
    }
  }

  /// The authors' first values: gains N(0, 0.02²), truncated at two deviations.
  void init(RandomKey key) {
    init_weight(gain, key, 0.02, 1);
    bias.fill(S(0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "gain", Role::gain}, m.gain...);
    f(Name{&at, "bias", Role::bias}, m.bias...);
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Logits over byte values and their cross-entropy.
#pragma once

#include "megalith/kernels/cross_entropy.h"
#include "megalith/kernels/gemm.h"
#include "megalith/nn/module.h"

namespace megalith {

/// z = x W, W being (C, V) of its own or the transpose of the byte table (tied); then loss = -log softmax(cap(z))[byte] with
/// cap(z) = soft_cap tanh(z / soft_cap), or z where soft_cap is 0. Logits exist for a tile of rows at a time.
template <class S>
struct SoftmaxHead {
  Tensor<S> weight;     // (C, V), or empty: tied
  double soft_cap = 0;  // 0: none

  SoftmaxHead() = default;
  SoftmaxHead(Index channels, bool tied, double cap) : soft_cap(cap) {
    if (!tied) weight = Tensor<S>({channels, kByteValues});
  }

  bool tied() const { return weight.empty(); }

  /// z (n, V), capped, from x (n, C).
  void logits(const Context& ctx, Seq<const S> x, const Tensor<S>& table, Seq<S> z) const {
    gemm<S>(ctx, x, tied() ? transposed<S>(table) : Operand<S>(weight), z);
    cap_logits(ctx, z, soft_cap);
  }

  /// losses[i] in nats of bytes[i] given row i of x.
  void score(const Context& ctx, Seq<const S> x, const Tensor<S>& table, const std::uint8_t* bytes, S* losses) const {
    for_tiles(x, [&](Index begin, Index rows) {
      Frame frame(ctx.scratch());
      const Seq<S> z = frame.seq<S>(1, rows, kByteValues);
      logits(ctx, {x.row(begin), 1, rows, x.C}, table, z);
      cross_entropy_forward<S>(ctx, z, bytes + begin, losses + begin);
    });
  }

  /// Losses as in score(), and with L = scale * sum of losses: dx = dL/dx written, grad and grad_table accumulated.
  void train(const Context& ctx, Seq<const S> x, const Tensor<S>& table, const std::uint8_t* bytes, S scale, S* losses,
             Seq<S> dx, SoftmaxHead& grad, Tensor<S>& grad_table) const {
    for_tiles(x, [&](Index begin, Index rows) {
      Frame frame(ctx.scratch());
      const Seq<S> z = frame.seq<S>(1, rows, kByteValues);
      const Seq<const S> xt{x.row(begin), 1, rows, x.C};
      const Seq<S> dxt{dx.row(begin), 1, rows, x.C};
      logits(ctx, xt, table, z);
      cross_entropy_backward<S>(ctx, z, bytes + begin, scale, soft_cap, losses + begin);  // z becomes dL/dz
      if (tied()) {
        gemm<S>(ctx, z, table, dxt);
        gemm<S>(ctx, transposed<S>(z), xt, grad_table, Into::add);
      } else {
        gemm<S>(ctx, z, transposed<S>(weight), dxt);
        gemm<S>(ctx, transposed<S>(xt), z, grad.weight, Into::add);
      }
    });
  }

  double flops(Index rows, Index channels) const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(channels * kByteValues);
  }
  /// Numbers of scratch at its highest, scoring or training.
  double scratch(Index rows) const { return static_cast<double>(std::min(kTileRows, rows) * kByteValues); }

  void init(RandomKey key, const Init& how) {
    if (!tied()) init_weight(weight, key, how.std, weight.rows());
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    if ((!m.tied() || ...)) f(Name{&at, "weight", Role::head}, m.weight...);
  }

 private:
  static constexpr Index kTileRows = 2048;

  template <class F>
  static void for_tiles(Seq<const S> x, F&& f) {
    for (Index begin = 0; begin < x.row_count(); begin += kTileRows) f(begin, std::min(kTileRows, x.row_count() - begin));
  }
};

}  // namespace megalith

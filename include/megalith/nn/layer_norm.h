// SPDX-License-Identifier: Apache-2.0
// Layer normalisation (Ba, Kiros & Hinton 2016).
#pragma once

#include "megalith/kernels/column_sum.h"
#include "megalith/kernels/math.h"
#include "megalith/nn/module.h"

namespace megalith {

/// y = gain * (x - mean(x)) / sqrt(var(x) + eps) + bias, over C at each position (Ba et al. 2016, eq. 4).
template <class S>
struct LayerNorm {
  using Scalar = S;
  using State = NoState;
  struct Tape {
    Tensor<S> mean, inv_std;  // (B*T)
    Tape() = default;
    Tape(const LayerNorm&, Shape in) : mean({in.rows()}), inv_std({in.rows()}) {}
  };
  static constexpr double kEps = 1e-5;

  Tensor<S> gain, bias;  // (C)

  LayerNorm() = default;
  explicit LayerNorm(Index channels) : gain({channels}), bias({channels}) { gain.fill(S(1)); }

  Index in_channels() const { return gain.size(); }
  Index out_channels() const { return gain.size(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape& tape) const {
    apply(ctx, x, y, tape.mean.data(), tape.inv_std.data());
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const { apply(ctx, x, y, nullptr, nullptr); }

  /// dx may be dy.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, LayerNorm& grad, State&, Tape& tape) const {
    add_column_sums<S>(ctx, dy, grad.bias.vec());
    add_row_sums<S>(ctx, x.row_count(), grad.gain.vec(), [&](Index i, Index first, RowMap<S> total) {
      const S mean = tape.mean.data()[i], r = tape.inv_std.data()[i];
      total.array() +=
          row_map(dy.row(i) + first, total.size()).array() * (row_map(x.row(i) + first, total.size()).array() - mean) * r;
    });
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena& arena) {
      const S per_channel = S(1) / S(static_cast<double>(x.C));
      Frame frame(arena);
      auto n = row_map(frame.take<S>(x.C), x.C).array();
      auto u = row_map(frame.take<S>(x.C), x.C).array();
      for (Index i = begin; i < end; ++i) {
        // forward was: y = gain n + bias with n = (x - mean) r, r = (var + eps)^(-1/2). With u = gain dy:
        // dx = r (u - mean(u) - n mean(u n)).
        const S mean = tape.mean.data()[i], r = tape.inv_std.data()[i];
        n = (row_map(x.row(i), x.C).array() - mean) * r;
        u = gain.vec().array() * row_map(dy.row(i), x.C).array();
        const S mean_u = math::sum(u) * per_channel;
        const S mean_un = math::sum(u * n) * per_channel;
        row_map(dx.row(i), x.C).array() = (u - mean_u - n * mean_un) * r;
      }
    });
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape, Pass, int) const { return 0; }

  void init(RandomKey, const Init&) {
    gain.fill(S(1));
    bias.fill(S(0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "gain", Role::gain}, m.gain...);
    f(Name{&at, "bias", Role::bias}, m.bias...);
  }

 private:
  void apply(const Context& ctx, Seq<const S> x, Seq<S> y, S* mean_out, S* inv_std_out) const {
    assert(x.C == in_channels() && y.C == x.C && x.row_count() == y.row_count());
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      using std::sqrt;
      const S per_channel = S(1) / S(static_cast<double>(x.C));
      for (Index i = begin; i < end; ++i) {
        const auto xi = row_map(x.row(i), x.C).array();
        const S mean = math::sum(xi) * per_channel;
        const S var = math::sum((xi - mean).square()) * per_channel;
        const S inv_std = S(1) / sqrt(var + S(kEps));
        row_map(y.row(i), x.C).array() = (xi - mean) * inv_std * gain.vec().array() + bias.vec().array();
        if (mean_out != nullptr) {
          mean_out[i] = mean;
          inv_std_out[i] = inv_std;
        }
      }
    });
  }
};

}  // namespace megalith

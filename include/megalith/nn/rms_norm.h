// SPDX-License-Identifier: Apache-2.0
// Root mean square normalisation (Zhang & Sennrich 2019).
#pragma once

#include "megalith/kernels/column_sum.h"
#include "megalith/kernels/math.h"
#include "megalith/nn/module.h"

namespace megalith {

/// y = gain * x / sqrt(mean(x^2) + eps), over C at each position (Zhang & Sennrich 2019, eq. 4).
template <class S>
struct RmsNorm {
  using Scalar = S;
  using State = NoState;
  struct Tape {
    Tensor<S> inv_rms;  // (B*T)
    Tape() = default;
    Tape(const RmsNorm&, Shape in) : inv_rms({in.rows()}) {}
  };
  static constexpr double kEps = 1e-6;

  Tensor<S> gain;  // (C)
  double eps = kEps;

  RmsNorm() = default;
  explicit RmsNorm(Index channels, double e = kEps) : gain({channels}), eps(e) { gain.fill(S(1)); }

  Index in_channels() const { return gain.size(); }
  Index out_channels() const { return gain.size(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape& tape) const {
    apply(ctx, x, y, tape.inv_rms.data());
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const { apply(ctx, x, y, nullptr); }

  /// dx may be dy.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, RmsNorm& grad, State&, Tape& tape) const {
    add_row_sums<S>(ctx, x.row_count(), grad.gain.vec(), [&](Index i, Index first, RowMap<S> total) {
      total.array() += row_map(dy.row(i) + first, total.size()).array() * row_map(x.row(i) + first, total.size()).array() *
                       tape.inv_rms.data()[i];
    });
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena& arena) {
      const S per_channel = S(1) / S(static_cast<double>(x.C));
      Frame frame(arena);
      auto u = row_map(frame.take<S>(x.C), x.C).array();
      for (Index i = begin; i < end; ++i) {
        // forward was: y = gain r x with r = (mean(x^2) + eps)^(-1/2), so dr/dx = -r^3 x / C. With u = gain dy:
        // dx = r u - r^3 x mean(u x).
        const auto xi = row_map(x.row(i), x.C).array();
        const S r = tape.inv_rms.data()[i];
        u = gain.vec().array() * row_map(dy.row(i), x.C).array();
        const S mean_ux = math::sum(u * xi) * per_channel;
        row_map(dx.row(i), x.C).array() = u * r - xi * (r * r * r * mean_ux);
      }
    });
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape, Pass, int) const { return 0; }

  void init(RandomKey, const Init&) { gain.fill(S(1)); }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "gain", Role::gain}, m.gain...);
  }

 private:
  void apply(const Context& ctx, Seq<const S> x, Seq<S> y, S* inv_rms_out) const {
    assert(x.C == in_channels() && y.C == x.C && x.row_count() == y.row_count());
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      using std::sqrt;
      const S per_channel = S(1) / S(static_cast<double>(x.C));
      for (Index i = begin; i < end; ++i) {
        const auto xi = row_map(x.row(i), x.C).array();
        const S inv_rms = S(1) / sqrt(math::sum(xi.square()) * per_channel + S(eps));
        row_map(y.row(i), x.C).array() = xi * inv_rms * gain.vec().array();
        if (inv_rms_out != nullptr) inv_rms_out[i] = inv_rms;
      }
    });
  }
};

}  // namespace megalith

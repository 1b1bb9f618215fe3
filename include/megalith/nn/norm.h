// SPDX-License-Identifier: Apache-2.0
// A norm whose kind is a setting.
#pragma once

#include "megalith/nn/layer_norm.h"
#include "megalith/nn/norm_kind.h"
#include "megalith/nn/rms_norm.h"

namespace megalith {

/// LayerNorm or RmsNorm; the one that is not chosen has no parameters.
template <class S>
struct Norm {
  using Scalar = S;
  using State = NoState;
  struct Tape {
    typename LayerNorm<S>::Tape layer;
    typename RmsNorm<S>::Tape rms;
    Tape() = default;
    Tape(const Norm& m, Shape in) {
      if (m.kind == NormKind::layer) layer = {m.layer, in};
      else rms = {m.rms, in};
    }
  };

  NormKind kind = NormKind::layer;
  LayerNorm<S> layer;
  RmsNorm<S> rms;

  Norm() = default;
  Norm(NormKind k, Index channels) : kind(k) {
    if (kind == NormKind::layer) layer = LayerNorm<S>(channels);
    else rms = RmsNorm<S>(channels);
  }

  Index in_channels() const { return kind == NormKind::layer ? layer.in_channels() : rms.in_channels(); }
  Index out_channels() const { return in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    if (kind == NormKind::layer) layer.forward(ctx, x, y, state, tape.layer);
    else rms.forward(ctx, x, y, state, tape.rms);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    if (kind == NormKind::layer) layer.step(ctx, x, y, state);
    else rms.step(ctx, x, y, state);
  }
  /// dx may be dy.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Norm& grad, State& dstate,
                Tape& tape) const {
    if (kind == NormKind::layer) layer.backward(ctx, x, dy, dx, grad.layer, dstate, tape.layer);
    else rms.backward(ctx, x, dy, dx, grad.rms, dstate, tape.rms);
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape, Pass, int) const { return 0; }

  void init(RandomKey key, const Init& how) {
    if (kind == NormKind::layer) layer.init(key, how);
    else rms.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    const bool is_layer = ((m.kind == NormKind::layer) && ...);
    if (is_layer) LayerNorm<S>::visit(at, f, m.layer...);
    else RmsNorm<S>::visit(at, f, m.rms...);
  }
};

}  // namespace megalith

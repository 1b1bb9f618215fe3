// SPDX-License-Identifier: Apache-2.0
// A norm that may be left out.
#pragma once

#include "megalith/kernels/copy.h"
#include "megalith/nn/norm.h"

namespace megalith {

/// y = norm(x), or y = x without parameters: what ends a stack whose blocks may end with a norm themselves.
template <class S>
struct OptionalNorm {
  using Scalar = S;
  using State = NoState;
  struct Tape : Norm<S>::Tape {
    Tape() = default;
    Tape(const OptionalNorm& m, Shape in) {
      if (m.present) static_cast<typename Norm<S>::Tape&>(*this) = {m.norm, in};
    }
  };

  bool present = false;
  Index channels = 0;
  Norm<S> norm;

  OptionalNorm() = default;
  OptionalNorm(bool there, NormKind kind, Index C) : present(there), channels(C) {
    if (present) norm = {kind, channels};
  }

  Index in_channels() const { return channels; }
  Index out_channels() const { return channels; }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    if (present) norm.forward(ctx, x, y, state, tape);
    else copy(ctx, x, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    if (present) norm.step(ctx, x, y, state);
    else copy(ctx, x, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, OptionalNorm& grad, State& dstate,
                Tape& tape) const {
    if (present) norm.backward(ctx, x, dy, dx, grad.norm, dstate, tape);
    else copy(ctx, dy, dx);
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape, Pass, int) const { return 0; }

  void init(RandomKey key, const Init& how) {
    if (present) norm.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    if ((m.present && ...)) Norm<S>::visit(at, f, m.norm...);
  }
};

}  // namespace megalith

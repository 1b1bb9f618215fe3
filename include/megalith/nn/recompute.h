// SPDX-License-Identifier: Apache-2.0
// Activation checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost").
#pragma once

#include <memory>

#include "megalith/nn/module.h"

namespace megalith {

/// M, whose forward keeps nothing but the State it received: backward runs it again. Copies of a Tape share the inner
/// tape, so that all layers of a stack fill one, in turn:
/// a copied Tape cannot stand for another moment of the run.
template <class M>
struct Recompute {
  using Scalar = typename M::Scalar;
  using S = Scalar;
  struct State : M::State {
    State() = default;
    State(const Recompute& m, Index B, Index room = 0) : M::State(m.inner, B, room) {}
  };
  struct Tape {
    std::shared_ptr<typename M::Tape> inner;  // shared on purpose, see above
    State received;
    Tape() = default;
    Tape(const Recompute& m, Shape in) : inner(std::make_shared<typename M::Tape>(m.inner, in)) {}
  };

  M inner;

  Recompute() = default;
  explicit Recompute(M m) : inner(std::move(m)) {}
  template <class Config>
  requires std::constructible_from<M, const Config&> &&(!std::same_as<Config, M>)explicit Recompute(const Config& c)
      : inner(c) {}

  Index in_channels() const { return inner.in_channels(); }
  Index out_channels() const { return inner.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    tape.received = state;
    inner.step(ctx, x, y, state);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const { inner.step(ctx, x, y, state); }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Recompute& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> y = frame.seq<S>(dy.B, dy.T, dy.C);
    State state = tape.received;
    inner.forward(ctx, x, y, state, *tape.inner);
    inner.backward(ctx, x, dy, dx, grad.inner, dstate, *tape.inner);
  }

  double flops(Shape in) const { return inner.flops(in); }
  void init(RandomKey key, const Init& how) { inner.init(key, how); }

  template <class F, class... Ms>
  static void visit(const Name& at, F&& f, Ms&... m) {
    M::visit(at, f, m.inner...);
  }
};

}  // namespace megalith

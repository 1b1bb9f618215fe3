// SPDX-License-Identifier: Apache-2.0
// A norm of positions, or of all positions up to each, as a setting says.
#pragma once

#include "megalith/nn/norm.h"
#include "megalith/nn/timestep_norm.h"

namespace megalith {

enum class SequenceNormKind { timestep, layer, rms };
template <>
inline constexpr std::array<std::string_view, 3> kNames<SequenceNormKind>{"timestep", "layer", "rms"};

/// TimestepNorm, LayerNorm or RmsNorm; those that are not chosen have no parameters.
template <class S>
struct SequenceNorm {
  using Scalar = S;
  struct State : TimestepNorm<S>::State {
    State() = default;
    State(const SequenceNorm& m, Index B, Index room = 0)
        : TimestepNorm<S>::State(m.timestep, B, m.kind == SequenceNormKind::timestep ? room : 0) {}
  };
  struct Tape {
    typename TimestepNorm<S>::Tape timestep;
    typename Norm<S>::Tape norm;
    Tape() = default;
    Tape(const SequenceNorm& m, Shape in) {
      if (m.kind == SequenceNormKind::timestep) timestep = {m.timestep, in};
      else norm = {m.norm, in};
    }
  };

  SequenceNormKind kind = SequenceNormKind::timestep;
  TimestepNorm<S> timestep;
  Norm<S> norm;

  SequenceNorm() = default;
  SequenceNorm(SequenceNormKind k, Index channels, Index groups) : kind(k) {
    if (kind == SequenceNormKind::timestep) timestep = TimestepNorm<S>(channels, groups);
    else norm = Norm<S>(position_norm(kind), channels);
  }
  /// The kind of a norm that sees one position, where a timestep norm is none.
  static NormKind position_norm(SequenceNormKind kind) {
    return kind == SequenceNormKind::rms ? NormKind::rms : NormKind::layer;
  }

  Index in_channels() const { return kind == SequenceNormKind::timestep ? timestep.in_channels() : norm.in_channels(); }
  Index out_channels() const { return in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    NoState none;
    if (kind == SequenceNormKind::timestep) timestep.forward(ctx, x, y, state, tape.timestep);
    else norm.forward(ctx, x, y, none, tape.norm);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    NoState none;
    if (kind == SequenceNormKind::timestep) timestep.step(ctx, x, y, state);
    else norm.step(ctx, x, y, none);
  }
  /// dx may be dy.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, SequenceNorm& grad, State& dstate,
                Tape& tape) const {
    NoState none;
    if (kind == SequenceNormKind::timestep) timestep.backward(ctx, x, dy, dx, grad.timestep, dstate, tape.timestep);
    else norm.backward(ctx, x, dy, dx, grad.norm, none, tape.norm);
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape in, Pass pass, int threads) const {
    return kind == SequenceNormKind::timestep ? timestep.scratch(in, pass, threads) : 0;
  }

  void init(RandomKey key, const Init& how) {
    if (kind == SequenceNormKind::timestep) timestep.init(key, how);
    else norm.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    const bool is_timestep = ((m.kind == SequenceNormKind::timestep) && ...);
    if (is_timestep) TimestepNorm<S>::visit(at, f, m.timestep...);
    else Norm<S>::visit(at, f, m.norm...);
  }
};

}  // namespace megalith

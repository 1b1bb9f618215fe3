// SPDX-License-Identifier: Apache-2.0
// A moving average of a kind that is a setting.
#pragma once

#include "megalith/kernels/copy.h"
#include "megalith/nn/complex_ema.h"
#include "megalith/nn/real_ema.h"

namespace megalith {

enum class AverageKind { complex, real, none };
template <>
inline constexpr std::array<std::string_view, 3> kNames<AverageKind>{"complex", "real", "none"};

/// ComplexEma or RealEma, or y = x; those that are not chosen have no parameters.
template <class S>
struct MovingAverage {
  using Scalar = S;
  using State = EmaState<S>;
  struct Tape {
    typename ComplexEma<S>::Tape complex;
    typename RealEma<S>::Tape real;
    Tape() = default;
    Tape(const MovingAverage& m, Shape in) {
      if (m.kind == AverageKind::complex) complex = {m.complex, in};
      if (m.kind == AverageKind::real) real = {m.real, in};
    }
  };

  AverageKind kind = AverageKind::none;
  Index channels = 0;
  ComplexEma<S> complex;
  RealEma<S> real;

  MovingAverage() = default;
  MovingAverage(AverageKind k, Index D, Index states) : kind(k), channels(D) {
    if (kind == AverageKind::complex) complex = ComplexEma<S>(D, states);
    if (kind == AverageKind::real) real = RealEma<S>(D, states);
  }

  Index in_channels() const { return channels; }
  Index out_channels() const { return channels; }
  Index state_numbers() const {
    return kind == AverageKind::complex ? complex.state_numbers() : kind == AverageKind::real ? real.state_numbers() : 0;
  }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    if (kind == AverageKind::complex) complex.forward(ctx, x, y, state, tape.complex);
    else if (kind == AverageKind::real) real.forward(ctx, x, y, state, tape.real);
    else copy(ctx, x, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    if (kind == AverageKind::complex) complex.step(ctx, x, y, state);
    else if (kind == AverageKind::real) real.step(ctx, x, y, state);
    else copy(ctx, x, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, MovingAverage& grad, State& dstate,
                Tape& tape) const {
    if (kind == AverageKind::complex) complex.backward(ctx, x, dy, dx, grad.complex, dstate, tape.complex);
    else if (kind == AverageKind::real) real.backward(ctx, x, dy, dx, grad.real, dstate, tape.real);
    else copy(ctx, dy, dx);
  }

  Flops flops(Shape in) const {
    return kind == AverageKind::complex ? complex.flops(in) : kind == AverageKind::real ? real.flops(in) : Flops{};
  }
  double scratch(Shape in, Pass pass, int threads) const {
    return kind == AverageKind::complex ? complex.scratch(in, pass, threads)
           : kind == AverageKind::real  ? real.scratch(in, pass, threads)
                                        : 0;
  }

  void init(RandomKey key, const Init& how) {
    if (kind == AverageKind::complex) complex.init(key, how);
    if (kind == AverageKind::real) real.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    const bool is_complex = ((m.kind == AverageKind::complex) && ...), is_real = ((m.kind == AverageKind::real) && ...);
    if (is_complex) ComplexEma<S>::visit(at, f, m.complex...);
    if (is_real) RealEma<S>::visit(at, f, m.real...);
  }
};

}  // namespace megalith

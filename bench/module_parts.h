// SPDX-License-Identifier: Apache-2.0
// The calls of any module in a training step.
#pragma once

#include "megalith/nn/module.h"
#include "parts.h"

namespace megalith::bench {

inline double count(Index n) { return static_cast<double>(n); }

/// How often a step calls the two halves of a module; fractions are those of a last tile.
struct Calls {
  double forward = 0, backward = 0;
  Calls(double both) : forward(both), backward(both) {}
  Calls(double f, double b) : forward(f), backward(b) {}
};
/// FLOPs for each number of x that a module's flops() does not count.
struct ElementFlops {
  double forward = 0, backward = 0;
};

/// Forward and backward of a module on inputs of shape `in`, through the interface that all modules have: FLOPs as it counts
/// them itself; moved are x, y and the parameters, then x, dy, dx, the parameters and twice their gradient, dy twice where
/// it is multiplied by weights and by x. y has `out_rows` rows in a sequence, where not as many as x.
template <Module M>
void add_module(Roofline& r, const char* part, const M& m, Shape in, Calls calls, ElementFlops more = {},
                Index out_rows = 0) {
  if (out_rows == 0) out_rows = in.T;
  Activations x(in.B, in.T, m.in_channels()), dx(in.B, in.T, m.in_channels());
  Activations y(in.B, out_rows, m.out_channels()), dy(in.B, out_rows, m.out_channels());
  M grad = m;
  typename M::State state(m, in.B), dstate(m, in.B);
  typename M::Tape tape(m, in);
  const double of_x = count(x.numbers.size()), of_y = count(y.numbers.size()), parameters = count(parameter_count(m));
  const Flops flops = m.flops(in);
  const Arithmetic arithmetic = flops.products > 0 ? Arithmetic::products : Arithmetic::fp32;
  r.add(
      part, calls.forward, {flops.total() + more.forward * of_x, of_x + parameters + of_y},
      [&] {
        state.reset();
        m.forward(r.ctx(), x, y, state, tape);
      },
      arithmetic);
  r.add(
      part, calls.backward,
      {2 * flops.total() + more.backward * of_x, 2 * of_x + (flops.products > 0 ? 2 : 1) * of_y + 3 * parameters},
      [&] { m.backward(r.ctx(), x, dy, dx, grad, dstate, tape); }, arithmetic);
}

}  // namespace megalith::bench

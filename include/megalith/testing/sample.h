// SPDX-License-Identifier: Apache-2.0
// What the checks of this folder share: a module with random parameters and inputs, a run of it, and comparing two runs.
// They depend on no test framework: each check returns a Finding, whose error any framework can compare with 0 or a
// tolerance.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "megalith/nn/module.h"

namespace megalith::testing {

/// Makes the same module for any scalar: `[]<class S>() { return LayerNorm<S>(12); }`, or a struct with such a call.
template <class F>
concept Maker = requires(const F& make) {
  { make.template operator()<double>() } -> Module;
};

/// What a check is run on.
struct Trial {
  Shape shape{2, 9};
  Index before = 0;  // adjoint: rows that the State received has read
  std::uint64_t seed = 1;
  int threads = 1;
  Mode mode = Mode::train;
};

/// The largest error that a check met, and in which tensor.
struct Finding {
  double error = 0;  // infinity where a NaN stood
  std::string where{};

  void add(double e, const std::string& what) {
    if (std::isnan(e)) e = std::numeric_limits<double>::infinity();
    if (e > error) {
      error = e;
      where = what;
    }
  }
  void add(const Finding& other, const std::string& prefix = {}) { add(other.error, prefix + other.where); }
};

/// Random numbers in [-0.5, 0.5) that float holds exactly: every precision starts from the same ones.
template <class S>
void fill_noise(Tensor<S>& t, RandomKey key) {
  for (Index i = 0; i < t.size(); ++i) {
    const double u = random_uniform(key, static_cast<std::uint64_t>(i)) - 0.5;
    t.data()[i] = static_cast<S>(static_cast<float>(u));
  }
}

/// Every parameter, whatever it means: gains and biases too, so that none is left at the 1 or 0 that hides a mistake.
template <class M>
void fill_parameters(M& m, RandomKey key) {
  std::uint64_t n = 0;
  for_each_parameter(m, [&](const Name&, auto& p) { fill_noise(p, key.child(n++)); });
}

/// Calls f(name, tensor) for every tensor of a State.
template <class State, class F>
void for_each_of_state(State& state, F&& f) {
  std::remove_const_t<State>::visit(Name{}, f, state);
}

template <class S>
Seq<S> view(Tensor<S>& t) {
  return {t.data(), t.dims()[0], t.dims()[1], t.dims()[2]};
}
template <class S>
Seq<const S> view(const Tensor<S>& t) {
  return {t.data(), t.dims()[0], t.dims()[1], t.dims()[2]};
}

template <class S>
constexpr S not_a_number() {
  return std::numeric_limits<S>::quiet_NaN();
}

/// Rows [begin, begin + count) of each sequence of x (B,T,C).
template <class S>
Tensor<S> rows_of(const Tensor<S>& x, Index begin, Index count) {
  const Seq<const S> from = view(x);
  Tensor<S> piece({from.B, count, from.C});
  for (Index b = 0; b < from.B; ++b) std::copy_n(from.row(b * from.T + begin), count * from.C, view(piece).row(b * count));
  return piece;
}
/// Puts a piece back where rows_of took it.
template <class S>
void put_rows(const Tensor<S>& piece, Index begin, Tensor<S>& x) {
  const Seq<const S> from = view(piece);
  for (Index b = 0; b < from.B; ++b) std::copy_n(from.row(b * from.T), from.T * from.C, view(x).row(b * view(x).T + begin));
}

/// A module with random parameters, its input, and the gradient that comes back to its output.
template <class M>
struct Sample {
  using S = typename M::Scalar;
  M module;
  Tensor<S> x, dy;  // (B,T,C)
};

template <class S, Maker F>
auto draw_sample(const F& make, const Trial& trial) {
  using M = decltype(make.template operator()<S>());
  static_assert(Module<M>);
  M m = make.template operator()<S>();
  const RandomKey key{trial.seed};
  fill_parameters(m, key.child(0));
  const Index B = trial.shape.B, T = trial.shape.T;
  Tensor<S> x({B, T, m.in_channels()}), dy({B, T, m.out_channels()});
  fill_noise(x, key.child(1));
  fill_noise(dy, key.child(2));
  return Sample<M>{std::move(m), std::move(x), std::move(dy)};
}

inline Context context_of(const Trial& trial, Workspace& workspace) {
  Context ctx(workspace);
  ctx.mode = trial.mode;
  ctx.key = RandomKey{trial.seed}.child(3);
  return ctx;
}

/// What a forward and a backward leave.
template <class M>
struct Outcome {
  using S = typename M::Scalar;
  Tensor<S> y, dx;
  M grad;
  typename M::State left, dstate;  // the state after forward; the gradient to the state received
};

/// The gradient to a state that nobody reads any more.
template <class State>
State zero_gradient(State like) {
  for_each_of_state(like, [](const Name&, auto& t) { t.fill({0}); });
  return like;
}

/// One forward from `state` and one backward in which nothing comes back to the state left.
template <class M>
Outcome<M> run(const Context& ctx, const Sample<M>& s, typename M::State state, typename M::Tape& tape) {
  using S = typename M::Scalar;
  Outcome<M> o{Tensor<S>({s.x.dims()[0], s.x.dims()[1], s.module.out_channels()}), s.x, s.module, std::move(state), {}};
  o.y.fill(not_a_number<S>());
  o.dx.fill(not_a_number<S>());
  set_zero(o.grad);
  s.module.forward(ctx, view(s.x), view(o.y), o.left, tape);
  o.dstate = zero_gradient(o.left);
  s.module.backward(ctx, view(s.x), view(s.dy), view(o.dx), o.grad, o.dstate, tape);
  return o;
}
template <class M>
Outcome<M> run(const Context& ctx, const Sample<M>& s, typename M::State state) {
  typename M::Tape tape(s.module, view(s.x).shape());
  return run(ctx, s, std::move(state), tape);
}

/// The largest |a - b|, relative to the largest |b|; or to 0.01 where all of b is smaller, because a gradient that is 0 but
/// for rounding has no relative error.
template <class A, class B>
double relative_error(const Tensor<A>& a, const Tensor<B>& b) {
  constexpr double kSmall = 0.01;
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = kSmall, difference = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
    if (!std::isfinite(x) || !std::isfinite(y)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(y));
    difference = std::max(difference, std::abs(x - y));
  }
  return difference / largest;
}

/// 0 if all bits are equal, and more otherwise.
template <class S>
double bit_error(const Tensor<S>& a, const Tensor<S>& b) {
  if (a.size() == b.size() &&
      (a.empty() || std::memcmp(a.data(), b.data(), sizeof(S) * static_cast<std::size_t>(a.size())) == 0))
    return 0;
  return std::max(relative_error(a, b), std::numeric_limits<double>::denorm_min());
}

/// Compares y, dx and every gradient with measure(a, b).
template <class A, class B, class F>
Finding compare(const Outcome<A>& a, const Outcome<B>& b, F&& measure) {
  Finding found;
  found.add(measure(a.y, b.y), "y");
  found.add(measure(a.dx, b.dx), "dx");
  const Name grad{nullptr, "gradient"};
  A::visit(
      grad, [&](const Name& name, const auto& p, const auto& q) { found.add(measure(p, q), name.str()); }, a.grad, b.grad);
  return found;
}
inline constexpr auto kRelative = [](const auto& a, const auto& b) { return relative_error(a, b); };
inline constexpr auto kBits = [](const auto& a, const auto& b) { return bit_error(a, b); };

/// Compares two states tensor by tensor.
template <class State, class F>
Finding compare_states(const State& a, const State& b, F&& measure) {
  Finding found;
  const Name state{nullptr, "state"};
  State::visit(
      state, [&](const Name& name, const auto& p, const auto& q) { found.add(measure(p, q), name.str()); }, a, b);
  return found;
}

}  // namespace megalith::testing

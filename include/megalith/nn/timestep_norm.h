// SPDX-License-Identifier: Apache-2.0
// The timestep norm.
#pragma once

#include <algorithm>
#include <concepts>

#include "megalith/core/wide.h"
#include "megalith/kernels/column_sum.h"
#include "megalith/kernels/math.h"
#include "megalith/nn/module.h"

namespace megalith {

/// Layer norm over time as well (Ma et al. 2024, eq. 4): y_t = gain (x_t - mean_t) / sqrt(var_t + eps) + bias, where mean_t
/// and var_t are those of all numbers of a group of channels at positions up to and with t.
///
/// With a prior, they begin as if `prior` positions of a mean and a variance had been seen, which are parameters, the latter
/// as its logarithm. Without, a group must have several channels: one number alone has the variance 0.
template <class S>
struct TimestepNorm {
  using Scalar = S;
  struct State {
    Tensor<S> mean, var;  // (B, G); empty when closed
    Index count = 0;      // positions seen, without the prior's

    State() = default;
    State(const TimestepNorm& m, Index B, Index room = 0) {
      if (room > 0) mean = var = Tensor<S>({B, m.groups});
    }
    bool open() const { return !mean.empty(); }
    void reset(Index = 0) {
      mean.fill(S(0));
      var.fill(S(0));
      count = 0;
    }
    bool valid(Index rows) const {
      if constexpr (!std::same_as<S, ShapeOnly>)
        if (!std::all_of(var.span().begin(), var.span().end(), [](const S& v) { return v >= S(0); })) return false;
      return count >= 0 && count <= rows && (open() || count == 0);
    }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      if (!(state.open() || ...)) return;
      f(Name{&at, "mean"}, state.mean...);
      f(Name{&at, "var"}, state.var...);
    }
    template <class F, class... St>
    static void visit_all(const Name& at, F&& f, St&... state) {
      visit(at, f, state...);
      f(Name{&at, "count"}, state.count...);
    }
  };
  struct Tape {
    Tensor<S> mean, inv_std;  // (B*T, G): at each position
    Tensor<S> received;       // (B, G): the mean before
    Index count = 0;          // positions before
    Tape() = default;
    Tape(const TimestepNorm& m, Shape in)
        : mean({in.rows(), m.groups}), inv_std({in.rows(), m.groups}), received({in.B, m.groups}) {}
  };
  static constexpr double kEps = 1e-5;

  Index groups = 1;                     // G, which divides C
  Index prior = 0;                      // positions
  Tensor<S> gain, bias;                 // (C)
  Tensor<S> prior_mean, prior_log_var;  // (G); empty without a prior

  TimestepNorm() = default;
  TimestepNorm(Index channels, Index G, Index prior_positions = 0)
      : groups(G), prior(prior_positions), gain({channels}), bias({channels}) {
    assert(channels % G == 0 && (prior > 0 || G < channels));
    gain.fill(S(1));
    if (prior > 0) prior_mean = prior_log_var = Tensor<S>({G});
  }

  Index in_channels() const { return gain.size(); }
  Index out_channels() const { return gain.size(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    tape.count = state.count;
    apply(ctx, x, y, state, {tape.mean.data(), tape.inv_std.data()}, tape.received.data());
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Index n = x.row_count() * groups;
    apply(ctx, x, y, state, {frame.take<S>(n), frame.take<S>(n)}, nullptr);
  }

  /// dx may be dy.
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, TimestepNorm& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Index n = x.row_count() * groups;
    const Moments a{frame.take<S>(n), frame.take<S>(n)};
    const Index W = width();
    const auto of_group = group_view();
    add_column_sums<S>(ctx, dy, grad.bias.vec());
    add_row_sums<S>(ctx, x.row_count(), grad.gain.vec(), [&](Index i, Index first, RowMap<S> total) {
      for (Index g = first / W, c = first, end = first + total.size(), stop = 0; c < end; c = stop, ++g) {
        const Index at = i * groups + g;
        stop = std::min(end, (g + 1) * W);
        const auto part = [&](const S* row) { return row_map(row + c, stop - c).array(); };
        total.segment(c - first, stop - c).array() +=
            part(dy.row(i)) * (part(x.row(i)) - tape.mean.data()[at]) * tape.inv_std.data()[at];
      }
    });
    gradient_of_moments(ctx, x, dy, tape, a);
    ctx.parallel_ranges(x.B, 1, [&](Index b, Index, Arena&) { sum_from_the_end(b, x.T, tape, dstate, a); });
    if (tape.count == 0 && prior > 0) add_prior(x.T, tape, a, grad, x.B);
    if (dstate.open()) gradient_of_state(x.T, tape, a, dstate);
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      const S per_channel = S(1) / S(static_cast<double>(W));
      for (Index i = begin; i < end; ++i) {
        const S* const pivot = last_mean(tape, i / x.T, x.T);
        for (Index g = 0; g < groups; ++g) {
          const Index at = i * groups + g;
          const S first = a.mean[at] * per_channel, second = S(2) * a.var[at] * per_channel;
          of_group(dx.row(i), g) = of_group(dy.row(i), g) * of_group(gain.data(), g) * tape.inv_std.data()[at] + first +
                                   second * (of_group(x.row(i), g) - pivot[g]);
        }
      }
    });
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape in, Pass pass, int) const {
    return pass == Pass::forward ? 0 : 2 * static_cast<double>(in.rows()) * static_cast<double>(groups);
  }

  void init(RandomKey, const Init&) {
    gain.fill(S(1));
    bias.fill(S(0));
    prior_mean.fill(S(0));
    prior_log_var.fill(S(0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "gain", Role::gain}, m.gain...);
    f(Name{&at, "bias", Role::bias}, m.bias...);
    if (!((m.prior > 0) || ...)) return;
    f(Name{&at, "prior_mean"}, m.prior_mean...);
    f(Name{&at, "prior_log_var"}, m.prior_log_var...);
  }

 private:
  /// (B*T, G), by position: means and variances, or what takes their place in backward.
  struct Moments {
    S *mean, *var;
  };

  Index width() const { return in_channels() / groups; }  // of a group
  /// A function of a row and a group that gives the group's channels.
  auto group_view() const {
    return [W = width()]<class T>(T* row, Index g) { return RowMap<T>(row + g * W, W).array(); };
  }
  /// The share of position t, counted from the first of this call, in a mean of all before and itself.
  Wide<S> share(Index count, Index t) const { return Wide<S>(1 / static_cast<double>(prior + count + t + 1)); }
  const S* last_mean(const Tape& tape, Index b, Index T) const { return tape.mean.data() + ((b + 1) * T - 1) * groups; }

  /// `at` gets the mean and 1 / sqrt(var + eps) of each position; `received`, unless null, the means before the first.
  void apply(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, const Moments& at, S* received) const {
    assert(x.C == in_channels() && y.C == x.C && x.row_count() == y.row_count());
    const auto of_group = group_view();
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      const S per_channel = S(1) / S(static_cast<double>(width()));
      for (Index i = begin; i < end; ++i) {
        for (Index g = 0; g < groups; ++g) {
          const auto xi = of_group(x.row(i), g);
          const S mean = math::sum(xi) * per_channel;
          at.mean[i * groups + g] = mean;
          at.var[i * groups + g] = math::sum((xi - mean).square()) * per_channel;
        }
      }
    });
    const bool prior_is_all = state.count == 0;
    ctx.parallel_ranges(x.B, 1, [&](Index b, Index, Arena& arena) {
      Frame frame(arena);
      Wide<S>*const mean = frame.take<Wide<S>>(groups), *const var = frame.take<Wide<S>>(groups);
      if (!prior_is_all) {
        std::copy_n(state.mean.row(b), groups, mean);
        std::copy_n(state.var.row(b), groups, var);
      } else {
        begin_from_prior(mean, var);
      }
      if (received != nullptr) std::copy_n(mean, groups, received + b * groups);
      run(state.count, x.T, mean, var, {at.mean + b * x.T * groups, at.var + b * x.T * groups});
      if (!state.open()) return;
      std::copy_n(mean, groups, state.mean.row(b));
      std::copy_n(var, groups, state.var.row(b));
    });
    if (state.open()) state.count += x.T;
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i)
        for (Index g = 0; g < groups; ++g)
          of_group(y.row(i), g) =
              (of_group(x.row(i), g) - at.mean[i * groups + g]) * at.var[i * groups + g] * of_group(gain.data(), g) +
              of_group(bias.data(), g);
    });
  }
  void begin_from_prior(Wide<S>* mean, Wide<S>* var) const {
    using std::exp;
    for (Index g = 0; g < groups; ++g) {
      mean[g] = prior > 0 ? Wide<S>(prior_mean.data()[g]) : Wide<S>(0);
      var[g] = prior > 0 ? exp(Wide<S>(prior_log_var.data()[g])) : Wide<S>(0);
    }
  }
  /// From moments of single positions, in `at`, to those of all up to each. Every position moves the mean and the variance
  /// by a share of a difference: written as weighted means they would drift.
  void run(Index count, Index T, Wide<S>* mean, Wide<S>* var, const Moments& at) const {
    using std::sqrt;
    using Number = Wide<S>;
    for (Index t = 0; t < T; ++t) {
      const Number c = share(count, t), rest = Number(1) - c;
      for (Index g = 0; g < groups; ++g) {
        S &m = at.mean[t * groups + g], &v = at.var[t * groups + g];
        const Number d = Number(m) - mean[g];
        mean[g] += c * d;
        var[g] += c * ((Number(v) - var[g]) + rest * d * d);
        m = S(mean[g]);
        v = S(Number(1) / sqrt(var[g] + Number(kEps)));
      }
    }
  }

  /// What each position itself gives to the gradient of its mean, and of its variance.
  void gradient_of_moments(const Context& ctx, Seq<const S> x, Seq<const S> dy, const Tape& tape, const Moments& a) const {
    const auto of_group = group_view();
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        for (Index g = 0; g < groups; ++g) {
          const Index at = i * groups + g;
          const S r = tape.inv_std.data()[at];
          const auto u = of_group(dy.row(i), g) * of_group(gain.data(), g);
          a.mean[at] = -r * math::sum(u);
          a.var[at] = S(-0.5) * r * r * r * math::sum(u * (of_group(x.row(i), g) - tape.mean.data()[at]));
        }
      }
    });
  }
  /// mean_t and var_t are sums over positions up to t, over their number: so what x_s gets from them are sums over positions
  /// from s on. With the last mean as pivot, dx_s = ... + (A1_s + 2 A2_s (x_s - pivot)) / width.
  void sum_from_the_end(Index b, Index T, const Tape& tape, const State& dstate, const Moments& a) const {
    const S* const pivot = last_mean(tape, b, T);
    for (Index t = T - 1; t >= 0; --t) {
      const S c = S(share(tape.count, t));
      for (Index g = 0; g < groups; ++g) {
        const Index at = (b * T + t) * groups + g;
        const bool last = t == T - 1;
        S A1 = last ? S(0) : a.mean[at + groups], A2 = last ? S(0) : a.var[at + groups];
        S d_mean = a.mean[at], d_var = a.var[at];
        if (last && dstate.open()) {
          d_mean += dstate.mean.row(b)[g];
          d_var += dstate.var.row(b)[g];
        }
        A1 += c * (d_mean - S(2) * d_var * (tape.mean.data()[at] - pivot[g]));
        A2 += c * d_var;
        a.mean[at] = A1;
        a.var[at] = A2;
      }
    }
  }
  /// f(b, g, gradient of the mean, of the variance) of what the call began with, whose weight is that of its positions.
  template <class F>
  void for_each_received(Index B, Index T, const Tape& tape, const Moments& a, F&& f) const {
    const S before = S(static_cast<double>(prior + tape.count));
    for (Index b = 0; b < B; ++b) {
      for (Index g = 0; g < groups; ++g) {
        const S A1 = a.mean[b * T * groups + g], A2 = a.var[b * T * groups + g];
        const S distance = tape.received.data()[b * groups + g] - last_mean(tape, b, T)[g];
        f(b, g, before * (A1 + S(2) * A2 * distance), before * A2);
      }
    }
  }
  void add_prior(Index T, const Tape& tape, const Moments& a, TimestepNorm& grad, Index B) const {
    using std::exp;
    for_each_received(B, T, tape, a, [&](Index, Index g, S d_mean, S d_var) {
      grad.prior_mean.data()[g] += d_mean;
      grad.prior_log_var.data()[g] += d_var * exp(prior_log_var.data()[g]);
    });
  }
  void gradient_of_state(Index T, const Tape& tape, const Moments& a, State& dstate) const {
    const bool seen = tape.count > 0;
    for_each_received(dstate.mean.rows(), T, tape, a, [&](Index b, Index g, S d_mean, S d_var) {
      dstate.mean.row(b)[g] = seen ? d_mean : S(0);
      dstate.var.row(b)[g] = seen ? d_var : S(0);
    });
    dstate.count = tape.count;
  }
};

}  // namespace megalith

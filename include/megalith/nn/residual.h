// SPDX-License-Identifier: Apache-2.0
// The pre-norm residual connection.
#pragma once

#include "megalith/kernels/add.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/norm.h"

namespace megalith {

/// y = x + dropout(branch(norm(x))) (Xiong et al. 2020, "On layer normalization in the transformer architecture", pre-LN).
/// The norm's output is not kept: backward computes it again.
template <class Branch>
struct Residual {
  using Scalar = typename Branch::Scalar;
  using S = Scalar;
  struct State : Branch::State {
    State() = default;
    State(const Residual& m, Index B, Index room = 0) : Branch::State(m.branch, B, room) {}
  };
  struct Tape {
    typename Norm<S>::Tape norm;
    typename Branch::Tape branch;
    Tape() = default;
    Tape(const Residual& m, Shape in) : norm(m.norm, in), branch(m.branch, in) {}
  };

  Norm<S> norm;
  Branch branch;
  Dropout<S> dropout;

  Residual() = default;
  Residual(NormKind kind, Branch b, double rate)
      : norm(kind, b.in_channels()), branch(std::move(b)), dropout(rate, branch.out_channels()) {}

  Index in_channels() const { return branch.in_channels(); }
  Index out_channels() const { return branch.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.forward(ctx, x, normed, none, tape.norm);
    branch.forward(ctx.site(kBranchSite), normed, y, state, tape.branch);
    add(ctx, x, y);
  }
  /// y of forward once more, of a branch that can give its own.
  void replay(const Context& ctx, Seq<const S> x, Seq<S> y, const Tape& tape) const {
    branch.replay(ctx.site(kBranchSite), y, tape.branch);
    add(ctx, x, y);
  }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.step(ctx, x, normed, none);
    branch.step(ctx.site(kBranchSite), normed, y, state);
    add(ctx, x, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Residual& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.step(ctx, x, normed, none);
    Seq<const S> d_branch = dy;
    if (dropout.active(ctx)) {
      const Seq<S> masked = frame.seq<S>(x.B, x.T, x.C);
      dropout.apply(ctx.site(kDropoutSite), dy, masked);
      d_branch = masked;
    }
    branch.backward(ctx.site(kBranchSite), normed, d_branch, dx, grad.branch, dstate, tape.branch);
    norm.backward(ctx, x, dx, dx, grad.norm, none, tape.norm);
    // forward was: y = x + ..., so dx has dy as well.
    add_to(ctx, dy, dx);
  }

  Flops flops(Shape in) const { return branch.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double row = static_cast<double>(in.rows()) * static_cast<double>(in_channels());
    const bool masked = pass == Pass::backward && dropout.rate > 0;
    return (masked ? 2 : 1) * row + branch.scratch(in, pass, threads);
  }

  void init(RandomKey key, const Init& how) {
    norm.init(key, how);
    branch.init(key, how);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Norm<S>::visit(Name{&at, "norm"}, f, m.norm...);
    Branch::visit(at, f, m.branch...);
  }

 private:
  static constexpr std::uint64_t kBranchSite = 0, kDropoutSite = 1;

  /// y = x + dropout(y).
  void add(const Context& ctx, Seq<const S> x, Seq<S> y) const {
    if (dropout.active(ctx)) dropout.apply(ctx.site(kDropoutSite), y, y);
    add_to(ctx, x, y);
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Queries, or keys and values, of inputs that are not each other's: what cross-attention projects.
#pragma once

#include "megalith/kernels/copy.h"
#include "megalith/kernels/head_norm.h"
#include "megalith/kernels/rotary.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/norm.h"

namespace megalith {

/// rows = norm(x) W + b, of whose heads the first ones are normalised (with a gain) and rotated by their position: all heads
/// of queries, or the keys before the values.
template <class S>
struct HeadProjection {
  struct Tape {
    typename Norm<S>::Tape norm;
    Tensor<S> raw;       // (B*T, heads*D): the heads before their norm; only with a gain
    Index position = 0;  // of the first row
    Tape() = default;
    Tape(const HeadProjection& m, Shape in) : norm(m.norm, in) {
      if (!m.gain.empty()) raw = Tensor<S>({in.rows(), m.heads * m.head_width});
    }
  };

  Index heads = 0, head_width = 0;  // D: of the heads that have a norm and a rotation
  double rotary_base = 0;           // 0: no rotation
  Norm<S> norm;
  Linear<S> linear;  // (C, R)
  Tensor<S> gain;    // (D), or empty: no norm of the heads

  Index out_channels() const { return linear.out_channels(); }

  /// x (B,T,C) from position `position` of the sequence on; rows (B,T,R).
  void forward(const Context& ctx, Seq<const S> x, Index position, Seq<S> rows, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.forward(ctx, x, normed, none, tape.norm);
    tape.position = position;
    project(ctx, normed, position, rows, gain.empty() ? nullptr : tape.raw.data());
  }
  void step(const Context& ctx, Seq<const S> x, Index position, Seq<S> rows) const {
    Frame frame(ctx.scratch());
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    norm.step(ctx, x, normed, none);
    project(ctx, normed, position, rows, nullptr);
  }
  /// d_rows is used up.
  void backward(const Context& ctx, Seq<const S> x, Seq<S> d_rows, Seq<S> dx, HeadProjection& grad, Tape& tape) const {
    Frame frame(ctx.scratch());
    if (rotary_base > 0) rotate(ctx, d_rows, 0, heads, head_width, tape.position, rotary_base, Turn::back);
    if (!gain.empty())
      head_norm_backward<S>(ctx, {tape.raw.data(), x.B, x.T, heads * head_width}, 0, heads, gain, d_rows, grad.gain);
    // forward was: rows = norm(x) W + b; the norm's output is computed again.
    const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
    NoState none;
    NoTape no_tape;
    norm.step(ctx, x, normed, none);
    linear.backward(ctx, normed, d_rows, dx, grad.linear, none, no_tape);
    norm.backward(ctx, x, dx, dx, grad.norm, none, tape.norm);
  }

  Flops flops(Shape in) const { return linear.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    return static_cast<double>(in.rows()) * static_cast<double>(linear.in_channels()) + linear.scratch(in, pass, threads);
  }

  void init(RandomKey key, const Init& how) {
    norm.init(key, how);
    linear.init(key, how);
    gain.fill(S(1));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Norm<S>::visit(Name{&at, "norm"}, f, m.norm...);
    Linear<S>::visit(at, f, m.linear...);
    const Name head_norm{&at, "head_norm"};
    if ((!m.gain.empty() || ...)) f(Name{&head_norm, "gain", Role::gain}, m.gain...);
  }

 private:
  void project(const Context& ctx, Seq<const S> normed, Index position, Seq<S> rows, S* raw) const {
    linear.apply(ctx, normed, rows);
    if (!gain.empty()) {
      if (raw != nullptr) {
        const Index n = heads * head_width;
        copy_channels(ctx, rows, 0, Seq<S>{raw, rows.B, rows.T, n}, 0, n);
      }
      head_norm_forward(ctx, rows, 0, heads, gain);
    }
    if (rotary_base > 0) rotate(ctx, rows, 0, heads, head_width, position, rotary_base, Turn::forward);
  }
};

}  // namespace megalith

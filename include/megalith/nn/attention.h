// SPDX-License-Identifier: Apache-2.0
// Causal multi-head self-attention.
#pragma once

#include "megalith/kernels/copy.h"
#include "megalith/kernels/head_norm.h"
#include "megalith/kernels/rotary.h"
#include "megalith/nn/attention_config.h"
#include "megalith/nn/attention_core.h"
#include "megalith/nn/linear.h"

namespace megalith {

/// [Q K V] = x W_qkv + b_qkv; y = O W_out + b_out with the O of AttentionCore (Vaswani et al. 2017, 3.2). Options: heads of
/// queries share a head of keys and values (Ainslie et al. 2023); rotary positions (Su et al. 2021); RMSNorm of each head's
/// queries and keys before the rotation (Henry et al. 2020).
template <class S>
struct Attention {
  using Scalar = S;
  using State = AttentionState<S>;
  struct Tape {
    Tensor<S> qkv;  // (B*T, Q + K + V): what attention read, normalised and rotated; empty where it is computed again
    Tensor<S> raw;  // (B*T, Q + K): queries and keys before their norm; only with qk_norm; empty likewise
    typename AttentionCore<S>::Tape core;
    Tape() = default;
    Tape(const Attention& m, Shape in) : core(m.core, in) {
      if (m.recompute) return;
      qkv = Tensor<S>({in.rows(), m.qkv.out_channels()});
      if (m.qk_norm()) raw = Tensor<S>({in.rows(), m.core.qk_channels()});
    }
  };

  AttentionCore<S> core;
  double rotary_base = 0;  // 0: no rotation
  bool recompute = false;
  Linear<S> qkv, out;        // (C, Q + K + V): all heads' queries, then keys, then values; (H*Dv, C)
  Tensor<S> q_gain, k_gain;  // (Dk), or empty: the norms of queries and keys, shared by the heads

  Attention() = default;
  explicit Attention(const AttentionConfig& c)
      : core{attention_shape(c)},
        rotary_base(c.rotary_base),
        recompute(c.recompute),
        qkv(c.width, core.row_channels(), c.bias),
        out(core.shape.out_channels(), c.width, c.bias) {
    assert(core.shape.heads % core.shape.kv_heads == 0);
    if (!c.qk_norm) return;
    q_gain = k_gain = Tensor<S>({core.shape.key_width});
    q_gain.fill(S(1));
    k_gain.fill(S(1));
  }

  Index in_channels() const { return qkv.in_channels(); }
  Index out_channels() const { return out.out_channels(); }
  bool qk_norm() const { return !q_gain.empty(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Projected projected = kept_or_scratch(x.shape(), tape, frame);
    project(ctx, x, state.position, projected);
    core.forward(ctx, projected.rows, state, tape.core);
    replay(ctx, y, tape);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Attention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Projected projected = kept_or_scratch(x.shape(), tape, frame);
    if (recompute) project(ctx, x, tape.core.position, projected);
    // forward was: y = O W_out + b_out.
    const Seq<const S> o = tape.core.output(x.shape());
    const Seq<S> d_o = o.C == dx.C ? dx : frame.seq<S>(o.B, o.T, o.C);  // dx is written last
    NoState none;
    NoTape no_tape;
    out.backward(ctx, o, dy, d_o, grad.out, none, no_tape);
    const Seq<S> d_rows = frame.seq<S>(x.B, x.T, qkv.out_channels());
    core.backward(ctx, projected.rows, d_o, d_rows, dstate, tape.core);
    // [Q K V] = x W_qkv + b_qkv; Q and K normalised, then rotated.
    rotate_heads(ctx, d_rows, tape.core.position, Turn::back);
    if (qk_norm()) {
      const AttentionShape& shape = core.shape;
      const Seq<const S> raw{projected.raw, x.B, x.T, core.qk_channels()};
      head_norm_backward(ctx, raw, 0, shape.heads, q_gain, d_rows, grad.q_gain);
      head_norm_backward(ctx, raw, shape.query_channels(), shape.kv_heads, k_gain, d_rows, grad.k_gain);
    }
    qkv.backward(ctx, x, d_rows, dx, grad.qkv, none, no_tape);
  }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> rows = frame.seq<S>(x.B, x.T, qkv.out_channels());
    const Seq<S> o = frame.seq<S>(x.B, x.T, out.in_channels());
    project(ctx, x, state.position, {rows, nullptr});
    core.step(ctx, rows, o, state);
    out.apply(ctx, o, y);
  }

  /// y of forward once more, from what its tape keeps.
  void replay(const Context& ctx, Seq<S> y, const Tape& tape) const {
    out.apply(ctx, {tape.core.out.data(), y.B, y.T, out.in_channels()}, y);
  }

  Flops flops(Shape in) const { return qkv.flops(in) + out.flops(in) + core.flops(in); }
  double scratch(Shape in, Pass pass, int threads) const {
    const double rows = static_cast<double>(in.rows());
    const Index raw = qk_norm() ? core.qk_channels() : 0;
    const Index kept = qkv.out_channels() + raw;  // of a row: what a tape keeps, or scratch
    const bool keeps = pass != Pass::step && !recompute;
    const Index own = pass == Pass::forward ? 0
                      : pass == Pass::step
                          ? out.in_channels() - raw
                          : qkv.out_channels() + (out.in_channels() == in_channels() ? 0 : out.in_channels());
    return rows * static_cast<double>(own + (keeps ? 0 : kept)) +
           std::max({core.scratch(in, pass, threads), qkv.scratch(in, pass, threads), out.scratch(in, pass, threads)});
  }

  void init(RandomKey key, const Init& how) {
    qkv.init(key.child(0), how);
    out.init(key.child(1), how);
    out.weight.vec() *= S(how.residual);
    q_gain.fill(S(1));
    k_gain.fill(S(1));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(Name{&at, "qkv"}, f, m.qkv...);
    if ((m.qk_norm() || ...)) {
      const Name q{&at, "q_norm"}, k{&at, "k_norm"};
      f(Name{&q, "gain", Role::gain}, m.q_gain...);
      f(Name{&k, "gain", Role::gain}, m.k_gain...);
    }
    Linear<S>::visit(Name{&at, "out"}, f, m.out...);
  }

 private:
  /// The projection, and what backward needs beside it: in the tape, or computed again into scratch.
  struct Projected {
    Seq<S> rows;  // (B, T, Q + K + V)
    S* raw;       // (B*T, Q + K): queries and keys before their norm; or null
  };
  Projected kept_or_scratch(Shape in, Tape& tape, Frame& frame) const {
    const Index channels = qkv.out_channels();
    if (!recompute) return {{tape.qkv.data(), in.B, in.T, channels}, qk_norm() ? tape.raw.data() : nullptr};
    return {frame.seq<S>(in.B, in.T, channels), qk_norm() ? frame.take<S>(in.rows() * core.qk_channels()) : nullptr};
  }

  /// rows = x W_qkv + b, queries and keys normalised and rotated from `position` on.
  void project(const Context& ctx, Seq<const S> x, Index position, const Projected& to) const {
    qkv.apply(ctx, x, to.rows);
    if (qk_norm()) {
      if (to.raw != nullptr) {
        const Index n = core.qk_channels();
        copy_channels(ctx, to.rows, 0, Seq<S>{to.raw, x.B, x.T, n}, 0, n);
      }
      head_norm_forward(ctx, to.rows, 0, core.shape.heads, q_gain);
      head_norm_forward(ctx, to.rows, core.shape.query_channels(), core.shape.kv_heads, k_gain);
    }
    rotate_heads(ctx, to.rows, position, Turn::forward);
  }
  void rotate_heads(const Context& ctx, Seq<S> rows, Index position, Turn turn) const {
    if (rotary_base <= 0) return;
    rotate(ctx, rows, 0, core.shape.heads + core.shape.kv_heads, core.shape.key_width, position, rotary_base, turn);
  }
};

}  // namespace megalith

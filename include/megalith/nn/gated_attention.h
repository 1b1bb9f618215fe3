// SPDX-License-Identifier: Apache-2.0
// Gated attention behind a moving average.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/kernels/copy.h"
#include "megalith/kernels/rotary.h"
#include "megalith/kernels/shared_heads.h"
#include "megalith/nn/attention_core.h"
#include "megalith/nn/gated_attention_config.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/moving_average.h"
#include "megalith/nn/sequence_norm.h"

namespace megalith {

/// The attention of MEGALODON (Ma et al. 2024, 3.3 and 3.4, as its authors' code has it), y (B,T,D) from x (B,T,D):
///
///   t = norm(x),  m = rms_norm(average(t)),  v = silu(t W_v + b_v),  r = silu(m W_r + b_r)
///   n = m W_z + b_z, each head of it over its root mean square
///   q = n gain_q / sqrt(d) + bias_q,  k = n gain_k / sqrt(d) + bias_k,  both rotated
///   y = m W_direct + b_direct + (O r) W_out,  O = softmax(q k^T) v in chunks
///
/// Each part can be left out: without `gated` r is 1; without `normalized` queries and keys are projections of their own,
/// and scores have the factor 1/sqrt(d). W_out has no bias.
template <class S>
struct GatedAttention {
  using Scalar = S;
  struct State {
    typename SequenceNorm<S>::State norm;
    EmaState<S> average;
    AttentionState<S> core;
    State() = default;
    State(const GatedAttention& m, Index B, Index room = 0)
        : norm(m.norm, B, room), average(m.average, B, room), core(m.core, B, room) {}
    void reset(Index rows = 0) {
      norm.reset(rows);
      average.reset(rows);
      core.reset(rows);
    }
    bool valid(Index rows) const { return norm.valid(rows) && average.valid(rows) && core.valid(rows); }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      SequenceNorm<S>::State::visit(Name{&at, "norm"}, f, state.norm...);
      EmaState<S>::visit(Name{&at, "average"}, f, state.average...);
      AttentionState<S>::visit(at, f, state.core...);
    }
    template <class F, class... St>
    static void visit_all(const Name& at, F&& f, St&... state) {
      SequenceNorm<S>::State::visit_all(Name{&at, "norm"}, f, state.norm...);
      EmaState<S>::visit_all(Name{&at, "average"}, f, state.average...);
      AttentionState<S>::visit_all(at, f, state.core...);
    }
  };
  struct Tape {
    typename SequenceNorm<S>::Tape norm;
    typename MovingAverage<S>::Tape average;
    typename RmsNorm<S>::Tape average_norm;
    typename AttentionCore<S>::Tape core;
    Tensor<S> normed, averaged, m;          // (B*T, D): t, the average, m
    Tensor<S> shared, values, gates, rows;  // (B*T, ...): before the norm of heads and the SiLUs; what attention read
    Tape() = default;
    Tape(const GatedAttention& a, Shape in)
        : norm(a.norm, in), average(a.average, in), average_norm(a.average_norm, in), core(a.core, in) {
      const auto rows_of = [&](Index channels) { return Tensor<S>({in.rows(), channels}); };
      normed = averaged = m = rows_of(a.in_channels());
      if (a.normalized()) shared = rows_of(a.z.out_channels());
      values = rows_of(a.v.out_channels());
      if (a.gated()) gates = rows_of(a.gate.out_channels());
      rows = rows_of(a.core.row_channels());
    }
  };

  SequenceNorm<S> norm;
  MovingAverage<S> average;
  RmsNorm<S> average_norm;
  AttentionCore<S> core;
  double rotary_base = 0;
  Linear<S> z, v, gate, direct, out;  // (D, S or 2S), (D, E), (D, E) or empty, (D, D), (E, D)
  Tensor<S> gain, bias;               // (2, S): of queries, of keys; empty where they are not normalised

  GatedAttention() = default;
  explicit GatedAttention(const GatedAttentionConfig& c)
      : norm(c.norm, c.width, c.groups),
        average(c.average, c.width, c.states),
        average_norm(c.width, 1e-5),
        core{c.shape},
        rotary_base(c.rotary_base),
        z(c.width, c.shape.query_channels() * (c.normalized ? 1 : 2), c.bias),
        v(c.width, c.shape.value_channels(), c.bias),
        direct(c.width, c.width, c.bias),
        out(c.shape.out_channels(), c.width, false) {
    assert(c.shape.heads == c.shape.kv_heads);
    if (c.gated) gate = Linear<S>(c.width, c.shape.out_channels(), c.bias);
    if (!c.normalized) return;
    core.shape.scale = 1;
    gain = bias = Tensor<S>({2, c.shape.query_channels()});
    gain.fill(S(1));
  }

  Index in_channels() const { return direct.in_channels(); }
  Index out_channels() const { return direct.in_channels(); }
  bool normalized() const { return !gain.empty(); }
  bool gated() const { return !gate.weight.empty(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    const auto seq = [&](Tensor<S>& t) { return Seq<S>{t.data(), x.B, x.T, t.cols()}; };
    const Parts p{seq(tape.normed), seq(tape.averaged), seq(tape.m),    seq(tape.shared),
                  seq(tape.values), seq(tape.gates),    seq(tape.rows), tape.core.output(x.shape())};
    NoState none;
    norm.forward(ctx, x, p.normed, state.norm, tape.norm);
    average.forward(ctx, p.normed, p.averaged, state.average, tape.average);
    average_norm.forward(ctx, p.averaged, p.m, none, tape.average_norm);
    project(ctx, p, state.core.position);
    core.forward(ctx, p.rows, state.core, tape.core);
    finish(ctx, p, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const auto seq = [&](Index channels) { return frame.seq<S>(x.B, x.T, channels); };
    const Index D = in_channels();
    const Parts p{seq(D),
                  seq(D),
                  seq(D),
                  seq(normalized() ? z.out_channels() : 0),
                  seq(v.out_channels()),
                  seq(gated() ? gate.out_channels() : 0),
                  seq(core.row_channels()),
                  seq(out.in_channels())};
    NoState none;
    norm.step(ctx, x, p.normed, state.norm);
    average.step(ctx, p.normed, p.averaged, state.average);
    average_norm.step(ctx, p.averaged, p.m, none);
    project(ctx, p, state.core.position);
    core.step(ctx, p.rows, p.o, state.core);
    finish(ctx, p, y);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, GatedAttention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const auto seq = [&](Index channels) { return frame.seq<S>(x.B, x.T, channels); };
    const auto kept = [&](Tensor<S>& t) { return Seq<S>{t.data(), x.B, x.T, t.cols()}; };
    const Seq<S> normed = kept(tape.normed), m = kept(tape.m), o = tape.core.output(x.shape());
    const Seq<S> dm = seq(m.C), d_o = seq(o.C), d_rows = seq(core.row_channels());
    NoState none;
    NoTape no_tape;
    // y = m W_direct + b_direct + (O r) W_out.
    direct.backward(ctx, m, dy, dm, grad.direct, none, no_tape);
    if (gated()) {
      Frame inner(ctx.scratch());
      const Seq<S> gates = kept(tape.gates), product = inner.seq<S>(x.B, x.T, o.C), d_product = inner.seq<S>(x.B, x.T, o.C);
      gate_rows(ctx, gates, o, product);
      out.backward(ctx, product, dy, d_product, grad.out, none, no_tape);
      const Seq<S> d_gates = product;  // which is not needed any more
      for_each_row(ctx, o, [&](Index i) {
        SwiGlu::backward<S>(row_map<const S>(gates.row(i), o.C), row_map<const S>(o.row(i), o.C),
                            row_map<const S>(d_product.row(i), o.C), row_map(d_gates.row(i), o.C), row_map(d_o.row(i), o.C));
      });
      gate.add_backward(ctx, m, d_gates, dm, grad.gate);
    } else {
      out.backward(ctx, o, dy, d_o, grad.out, none, no_tape);
    }
    core.backward(ctx, kept(tape.rows), d_o, d_rows, dstate.core, tape.core);
    rotate_heads(ctx, d_rows, tape.core.position, Turn::back);
    {
      Frame inner(ctx.scratch());
      const Seq<S> dz = inner.seq<S>(x.B, x.T, z.out_channels());
      if (normalized())
        shared_heads_backward<S>(ctx, heads(), kept(tape.shared), d_rows, dz,
                                 {grad.gain.data(), grad.bias.data(), core.shape.heads, core.shape.key_width});
      else copy_channels(ctx, d_rows, 0, dz, 0, dz.C);
      z.add_backward(ctx, m, dz, dm, grad.z);
    }
    average_norm.backward(ctx, kept(tape.averaged), dm, dm, grad.average_norm, none, tape.average_norm);
    const Seq<S> dt = seq(m.C);
    average.backward(ctx, normed, dm, dt, grad.average, dstate.average, tape.average);
    {
      Frame inner(ctx.scratch());
      const Seq<S> values = kept(tape.values), dv = inner.seq<S>(x.B, x.T, values.C);
      for_each_row(ctx, values, [&](Index i) {
        Silu::backward<S>(row_map<const S>(values.row(i), values.C),
                          row_map<const S>(d_rows.row(i) + core.qk_channels(), values.C), row_map(dv.row(i), values.C));
      });
      v.add_backward(ctx, normed, dv, dt, grad.v);
    }
    norm.backward(ctx, x, dt, dx, grad.norm, dstate.norm, tape.norm);
  }

  Flops flops(Shape in) const {
    Flops sum = average.flops(in) + core.flops(in) + z.flops(in) + v.flops(in) + direct.flops(in) + out.flops(in);
    if (gated()) sum += gate.flops(in);
    return sum;
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const Index D = in_channels(), E = out.in_channels(), R = core.row_channels(), V = v.out_channels(),
                Z = z.out_channels();
    const Index G = gated() ? E : 0, plain = normalized() ? 0 : Z;
    const double rows = static_cast<double>(in.rows());
    const auto of = [&](Index numbers) { return rows * static_cast<double>(numbers); };
    const double products = std::max({direct.scratch(in, pass, threads), out.scratch(in, pass, threads),
                                      v.scratch(in, pass, threads), z.scratch(in, pass, threads)});
    const double attention = core.scratch(in, pass, threads), averaging = average.scratch(in, pass, threads);
    const double norms = norm.scratch(in, pass, threads);
    if (pass == Pass::forward) return std::max({of(std::max(G, plain)) + products, attention, averaging, norms});
    if (pass == Pass::step)
      return of(3 * D + (normalized() ? Z : 0) + V + G + R + E) +
             std::max({of(std::max(G, plain)) + products, attention, averaging, norms});
    return of(D + E + R) + std::max({of(2 * G) + products, attention, of(Z) + products, of(D) + averaging,
                                     of(D + V) + products, of(D) + norms});
  }

  void init(RandomKey key, const Init& how) {
    norm.init(key.child(0), how);
    average.init(key.child(1), how);
    average_norm.init(key.child(2), how);
    z.init(key.child(3), how);
    v.init(key.child(4), how);
    if (gated()) gate.init(key.child(5), how);
    direct.init(key.child(6), how);
    out.init(key.child(7), how);
    direct.weight.vec() *= S(how.residual);
    out.weight.vec() *= S(how.residual);
    gain.fill(S(1));
    bias.fill(S(0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    SequenceNorm<S>::visit(Name{&at, "norm"}, f, m.norm...);
    MovingAverage<S>::visit(Name{&at, "average"}, f, m.average...);
    RmsNorm<S>::visit(Name{&at, "average_norm"}, f, m.average_norm...);
    Linear<S>::visit(Name{&at, "shared"}, f, m.z...);
    if ((m.normalized() || ...)) {
      const Name shared{&at, "heads"};
      f(Name{&shared, "gain", Role::gain}, m.gain...);
      f(Name{&shared, "bias", Role::bias}, m.bias...);
    }
    Linear<S>::visit(Name{&at, "values"}, f, m.v...);
    if ((m.gated() || ...)) Linear<S>::visit(Name{&at, "gate"}, f, m.gate...);
    Linear<S>::visit(Name{&at, "direct"}, f, m.direct...);
    Linear<S>::visit(Name{&at, "out"}, f, m.out...);
  }

 private:
  /// What is made on the way, in a tape or in scratch.
  struct Parts {
    Seq<S> normed, averaged, m, shared, values, gates, rows, o;
  };

  SharedHeads<const S> heads() const { return {gain.data(), bias.data(), core.shape.heads, core.shape.key_width}; }

  /// All that the averages give, up to the rows that attention reads.
  void project(const Context& ctx, const Parts& p, Index position) const {
    if (normalized()) {
      z.apply(ctx, p.m, p.shared);
      shared_heads_forward<S>(ctx, heads(), p.shared, p.rows);
    } else {
      Frame frame(ctx.scratch());
      const Seq<S> qk = frame.seq<S>(p.m.B, p.m.T, z.out_channels());
      z.apply(ctx, p.m, qk);
      copy_channels(ctx, qk, 0, p.rows, 0, qk.C);
    }
    rotate_heads(ctx, p.rows, position, Turn::forward);
    v.apply(ctx, p.normed, p.values);
    const Index first = core.qk_channels();
    for_each_row(ctx, p.values, [&](Index i) {
      Silu::forward<S>(row_map<const S>(p.values.row(i), p.values.C), row_map(p.rows.row(i) + first, p.values.C));
    });
    if (gated()) gate.apply(ctx, p.m, p.gates);
  }
  /// y = m W_direct + b_direct + (O r) W_out.
  void finish(const Context& ctx, const Parts& p, Seq<S> y) const {
    Frame frame(ctx.scratch());
    const Seq<S> product = gated() ? frame.seq<S>(y.B, y.T, p.o.C) : p.o;
    if (gated()) gate_rows(ctx, p.gates, p.o, product);
    direct.apply(ctx, p.m, y);
    gemm<S>(ctx, product, out.weight, y, Into::add);
  }
  void rotate_heads(const Context& ctx, Seq<S> rows, Index position, Turn turn) const {
    if (rotary_base > 0) rotate(ctx, rows, 0, 2 * core.shape.heads, core.shape.key_width, position, rotary_base, turn);
  }

  /// f(i) for each row of x.
  template <class F>
  static void for_each_row(const Context& ctx, Seq<const S> x, F&& f) {
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) f(i);
    });
  }
  /// product = o silu(gates).
  static void gate_rows(const Context& ctx, Seq<const S> gates, Seq<const S> o, Seq<S> product) {
    for_each_row(ctx, o, [&](Index i) {
      SwiGlu::forward<S>(row_map(gates.row(i), o.C), row_map(o.row(i), o.C), row_map(product.row(i), o.C));
    });
  }
};

}  // namespace megalith

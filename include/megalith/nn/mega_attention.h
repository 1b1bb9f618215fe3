// SPDX-License-Identifier: Apache-2.0
// Attention behind a moving average, between two gates: MEGA's.
#pragma once

#include "megalith/kernels/add.h"
#include "megalith/kernels/biased_attention.h"
#include "megalith/kernels/gates.h"
#include "megalith/nn/attention_core.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/mega_attention_config.h"
#include "megalith/nn/norm.h"
#include "megalith/nn/queries_keys.h"
#include "megalith/nn/real_ema.h"
#include "megalith/nn/relative_bias.h"

namespace megalith {

/// The gated attention of MEGA (Ma et al. 2022, eq. 7 to 15, as its authors' code has it but for dropout: there also on m, v
/// and the weights), y (B,T,D) from x (B,T,D):
///
///   t = norm(x),  m = silu(average(t)),  v = silu(t W_v + b_v)
///   u, z, r, c = m W + b, of D, Z, E and D channels
///   q, k = silu(z) kappa + mu (QueriesKeys),  O = f(tau q k^T + b_rel) v in chunks (BiasedAttention)
///   h = silu(c + (O silu(r)) W_out),  y = x + sigmoid(u) (dropout(h) - x)
///
/// u is the update gate, r the reset gate, h the candidate. The paper's weights W_phi, W_z, W_gamma and W_h are the columns
/// of W in that order, and W_out is its U_h. Without `pre_norm` t is x, and y the norm of what stands above.
template <class S>
struct MegaAttention {
  using Scalar = S;
  struct State {
    EmaState<S> average;
    AttentionState<S> core;
    State() = default;
    State(const MegaAttention& m, Index B, Index room = 0) : average(m.average, B, room), core(m.core, B, room) {}
    void reset(Index rows = 0) {
      average.reset(rows);
      core.reset(rows);
    }
    bool valid(Index rows) const { return average.valid(rows) && core.valid(rows); }
    template <class F, class... St>
    static void visit(const Name& at, F&& f, St&... state) {
      EmaState<S>::visit(Name{&at, "average"}, f, state.average...);
      AttentionState<S>::visit(at, f, state.core...);
    }
    template <class F, class... St>
    static void visit_all(const Name& at, F&& f, St&... state) {
      EmaState<S>::visit_all(Name{&at, "average"}, f, state.average...);
      AttentionState<S>::visit_all(at, f, state.core...);
    }
  };
  struct Tape {
    typename Norm<S>::Tape norm;
    typename RealEma<S>::Tape average;
    typename AttentionCore<S>::Tape core;
    Tensor<S> averaged, projected, values, rows;  // (B*T, ...): before SiLUs, with h's for c; what attention read
    Tensor<S> gated;                              // (B*T, D): what the norm read, where it is the last
    Tape() = default;
    Tape(const MegaAttention& m, Shape in) : norm(m.norm, in), average(m.average, in), core(m.core, in) {
      const auto rows_of = [&](Index channels) { return Tensor<S>({in.rows(), channels}); };
      averaged = rows_of(m.in_channels());
      projected = rows_of(m.projection.out_channels());
      values = rows_of(m.values.out_channels());
      rows = rows_of(m.core.row_channels());
      if (!m.pre_norm) gated = rows_of(m.in_channels());
    }
  };

  bool pre_norm = true;
  Norm<S> norm;
  RealEma<S> average;
  AttentionCore<S> core;
  AttentionFunction function = AttentionFunction::softmax;
  QueriesKeys<S> heads;
  RelativeBias<S> relative_bias;
  Linear<S> projection, values, out;  // (D, D + Z + E + D), (D, E), (E, D)
  Dropout<S> dropout;

  MegaAttention() = default;
  explicit MegaAttention(const MegaAttentionConfig& c)
      : pre_norm(c.pre_norm),
        norm(c.norm, c.width),
        average(c.width, c.states),
        core{{.key_width = c.qk_width, .value_width = c.value_width, .mask = {MaskKind::chunk, c.chunk, 0}}},
        function(c.function),
        heads(c.qk_width),
        relative_bias(c.relative_bias, c.chunk, c.qk_width, c.rotary_base),
        projection(c.width, 2 * c.width + c.qk_width + c.value_width, c.bias),
        values(c.width, c.value_width, c.bias),
        out(c.value_width, c.width, false),
        dropout(c.dropout, c.width) {}

  Index in_channels() const { return values.in_channels(); }
  Index out_channels() const { return values.in_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Parts p{kept(tape.averaged, x), kept(tape.projected, x), kept(tape.values, x), kept(tape.rows, x),
                  tape.core.output(x.shape())};
    NoState none;
    Seq<const S> t = x;
    if (pre_norm) {
      const Seq<S> normed = frame.seq<S>(x.B, x.T, x.C);
      norm.forward(ctx, x, normed, none, tape.norm);
      t = normed;
    }
    average.forward(ctx, t, p.averaged, state.average, tape.average);
    project(ctx, t, p);
    with_kernel(ctx, state.core.kept + x.T, nullptr,
                [&](const auto& kernel) { core.forward(ctx, p.rows, state.core, tape.core, kernel); });
    if (pre_norm) return finish(ctx, x, p, y);
    finish(ctx, x, p, kept(tape.gated, x));
    norm.forward(ctx, kept(tape.gated, x), y, none, tape.norm);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const auto seq = [&](Index channels) { return frame.seq<S>(x.B, x.T, channels); };
    const Parts p{seq(x.C), seq(projection.out_channels()), seq(values.out_channels()), seq(core.row_channels()),
                  seq(out.in_channels())};
    const Seq<S> normed = seq(x.C);  // or what is normed
    NoState none;
    if (pre_norm) norm.step(ctx, x, normed, none);
    const Seq<const S> t = pre_norm ? Seq<const S>(normed) : x;
    average.step(ctx, t, p.averaged, state.average);
    project(ctx, t, p);
    with_kernel(ctx, state.core.kept + x.T, nullptr,
                [&](const auto& kernel) { core.step(ctx, p.rows, p.o, state.core, kernel); });
    if (pre_norm) return finish(ctx, x, p, y);
    finish(ctx, x, p, normed);
    norm.step(ctx, normed, y, none);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, MegaAttention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const auto seq = [&](Index channels) { return frame.seq<S>(x.B, x.T, channels); };
    const Seq<S> averaged = kept(tape.averaged, x), projected = kept(tape.projected, x), o = tape.core.output(x.shape());
    const Seq<S> d_projected = seq(projected.C), d_rows = seq(core.row_channels()), dt = seq(x.C);
    NoState none;
    NoTape no_tape;
    if (!pre_norm) norm.backward(ctx, kept(tape.gated, x), dy, dt, grad.norm, none, tape.norm);
    {
      // gated = x + sigmoid(u) (dropout(h) - x), h = silu(c').
      Frame inner(ctx.scratch());
      const Seq<S> h = inner.seq<S>(x.B, x.T, x.C);
      silu_forward<S>(ctx, candidate(projected), h);
      drop(ctx, h);
      update_gate_backward<S>(ctx, update_gate(projected), h, x, pre_norm ? dy : Seq<const S>(dt), update_gate(d_projected),
                              h, dx);
      drop(ctx, h);
      silu_backward<S>(ctx, candidate(projected), h, candidate(d_projected));
    }
    {
      Frame inner(ctx.scratch());
      const Seq<S> d_o = inner.seq<S>(x.B, x.T, o.C);
      reset_backward(ctx, projected, o, d_projected, d_o, grad);
      const Index keys = core.shape.mask.most_keys(tape.core.past + x.T);
      S* const d_bias = grad.relative_bias.gradient(keys, inner);
      with_kernel(ctx, keys, d_bias, [&](const auto& kernel) {
        core.backward(ctx, kept(tape.rows, x), d_o, d_rows, dstate.core, tape.core, kernel);
      });
      relative_bias.accumulate(d_bias, keys, grad.relative_bias, inner);
    }
    heads.backward(ctx, shared(projected), d_rows, shared(d_projected), grad.heads);
    Seq<const S> t = x;
    if (pre_norm) {
      const Seq<S> normed = seq(x.C);
      norm.step(ctx, x, normed, none);
      t = normed;
    }
    {
      Frame inner(ctx.scratch());
      const Seq<S> m = inner.seq<S>(x.B, x.T, x.C), dm = inner.seq<S>(x.B, x.T, x.C);
      silu_forward<S>(ctx, averaged, m);
      projection.backward(ctx, m, d_projected, dm, grad.projection, none, no_tape);
      const Seq<S> d_averaged = m;  // which is not needed any more
      silu_backward<S>(ctx, averaged, dm, d_averaged);
      average.backward(ctx, t, d_averaged, dt, grad.average, dstate.average, tape.average);
    }
    {
      Frame inner(ctx.scratch());
      const Seq<S> dv = inner.seq<S>(x.B, x.T, o.C);
      silu_backward<S>(ctx, kept(tape.values, x), columns(d_rows, core.qk_channels(), o.C), dv);
      values.add_backward(ctx, t, dv, dt, grad.values);
    }
    if (pre_norm) norm.backward(ctx, x, dt, dt, grad.norm, none, tape.norm);
    add_to(ctx, dt, dx);
  }

  Flops flops(Shape in) const {
    return average.flops(in) + core.flops(in) + projection.flops(in) + values.flops(in) + out.flops(in);
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const Index D = in_channels(), E = out.in_channels(), P = projection.out_channels(), R = core.row_channels();
    const double rows = static_cast<double>(in.rows());
    const auto of = [&](Index numbers) { return rows * static_cast<double>(numbers); };
    const double products =
        std::max({projection.scratch(in, pass, threads), values.scratch(in, pass, threads), out.scratch(in, pass, threads)});
    const bool backward = pass == Pass::backward;
    const double attention = plain()
                                 ? core.scratch(in, pass, threads)
                                 : relative_bias.scratch(core.shape.mask.most_keys(in.T), backward) +
                                       biased_attention_scratch<S>(core.shape, relative_bias.kind != RelativeBiasKind::none,
                                                                   in.B, in.T, backward, threads);
    const double averaging = average.scratch(in, pass, threads);
    if (backward) {
      const double of_gates = of(D), of_attention = of(E) + std::max(of(2 * E) + products, attention);
      const double of_inputs = std::max({of(2 * D) + products, of(2 * D) + averaging, of(E) + products});
      return of(P + R + D) + std::max({of_gates, of_attention, of(pre_norm ? D : 0) + of_inputs});
    }
    const double own = pass == Pass::step ? of(2 * D + P + 2 * E + R) : of(pre_norm ? D : 0);
    return own + std::max({of(D) + products, of(E) + products, attention, averaging});
  }

  /// With how.residual 0 attention adds nothing to the candidate; the update gate is no residual branch, and stays as it is.
  void init(RandomKey key, const Init& how) {
    norm.init(key.child(0), how);
    average.init(key.child(1), how);
    projection.init(key.child(2), how);
    values.init(key.child(3), how);
    out.init(key.child(4), how);
    out.weight.vec() *= S(how.residual);
    heads.init(key.child(5));
    relative_bias.init(key.child(6));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Norm<S>::visit(Name{&at, "norm"}, f, m.norm...);
    RealEma<S>::visit(Name{&at, "average"}, f, m.average...);
    Linear<S>::visit(Name{&at, "projection"}, f, m.projection...);
    QueriesKeys<S>::visit(Name{&at, "heads"}, f, m.heads...);
    RelativeBias<S>::visit(Name{&at, "relative_bias"}, f, m.relative_bias...);
    Linear<S>::visit(Name{&at, "values"}, f, m.values...);
    Linear<S>::visit(Name{&at, "out"}, f, m.out...);
  }

 private:
  /// What is made on the way, in a tape or in scratch.
  struct Parts {
    Seq<S> averaged, projected, values, rows, o;
  };

  static Seq<S> kept(Tensor<S>& t, Seq<const S> x) { return {t.data(), x.B, x.T, t.cols()}; }
  // What stands side by side in a row of the projection.
  Mat<S> update_gate(Seq<S> projected) const { return columns(projected, 0, in_channels()); }
  Mat<S> shared(Seq<S> projected) const { return columns(projected, in_channels(), heads.channels()); }
  Mat<S> reset_gate(Seq<S> projected) const {
    return columns(projected, in_channels() + heads.channels(), out.in_channels());
  }
  Mat<S> candidate(Seq<S> projected) const { return columns(projected, projected.C - in_channels(), in_channels()); }

  bool plain() const { return function == AttentionFunction::softmax && relative_bias.kind == RelativeBiasKind::none; }
  /// f(the kernel of attention), for queries before whose end there are `keys` keys.
  template <class F>
  void with_kernel(const Context& ctx, Index keys, S* d_bias, F&& f) const {
    if (plain()) return f(SoftmaxAttention<S>{});
    Frame frame(ctx.scratch());
    f(BiasedAttention<S>{function, relative_bias.of_distances(core.shape.mask.most_keys(keys), frame), d_bias});
  }

  /// All that t and the average give, up to the rows that attention reads.
  void project(const Context& ctx, Seq<const S> t, const Parts& p) const {
    {
      Frame frame(ctx.scratch());
      const Seq<S> m = frame.seq<S>(t.B, t.T, t.C);
      silu_forward<S>(ctx, p.averaged, m);
      projection.apply(ctx, m, p.projected);
    }
    heads.forward(ctx, shared(p.projected), p.rows);
    values.apply(ctx, t, p.values);
    silu_forward<S>(ctx, p.values, columns(p.rows, core.qk_channels(), p.values.C));
  }
  /// c becomes c' = c + (O silu(r)) W_out, and y = x + sigmoid(u) (dropout(silu(c')) - x).
  void finish(const Context& ctx, Seq<const S> x, const Parts& p, Seq<S> y) const {
    Frame frame(ctx.scratch());
    const Seq<S> product = frame.seq<S>(x.B, x.T, p.o.C);
    silu_gate_forward<S>(ctx, reset_gate(p.projected), p.o, product);
    gemm<S>(ctx, product, out.weight, candidate(p.projected), Into::add);
    silu_forward<S>(ctx, candidate(p.projected), y);
    drop(ctx, y);
    update_gate_forward<S>(ctx, update_gate(p.projected), y, x, y);
  }
  /// From the gradient of c' to those of O and of the reset gate.
  void reset_backward(const Context& ctx, Seq<S> projected, Seq<S> o, Seq<S> d_projected, Seq<S> d_o,
                      MegaAttention& grad) const {
    Frame frame(ctx.scratch());
    const Seq<S> product = frame.seq<S>(o.B, o.T, o.C), d_product = frame.seq<S>(o.B, o.T, o.C);
    silu_gate_forward<S>(ctx, reset_gate(projected), o, product);
    gemm<S>(ctx, transposed<S>(product), candidate(d_projected), grad.out.weight, Into::add);
    gemm<S>(ctx, candidate(d_projected), transposed<S>(out.weight), d_product);
    silu_gate_backward<S>(ctx, reset_gate(projected), o, d_product, reset_gate(d_projected), d_o);
  }
  void drop(const Context& ctx, Seq<S> h) const {
    if (dropout.active(ctx)) dropout.apply(ctx, h, h);
  }
};

}  // namespace megalith

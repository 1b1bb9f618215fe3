// SPDX-License-Identifier: Apache-2.0
// Latents that attend to all of the input (Hawthorne et al. 2022, "Perceiver AR", 3.1).
#pragma once

#include "megalith/kernels/add.h"
#include "megalith/kernels/attention.h"
#include "megalith/kernels/attention_scratch.h"
#include "megalith/nn/attention_config.h"
#include "megalith/nn/attention_state.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/head_projection.h"

namespace megalith {

/// l = x W_latents + b_latents; y = l + dropout(O W_out + b_out), O = softmax(scale Q K^T) V per head, Q from norm(l), K and
/// V from another norm(x), each position seeing all inputs up to its own. With one input this is a residual branch of
/// attention; here the residual comes from the latents.
///
/// y may have fewer rows than x: then it has those of the last ones, and of the others only keys and values are computed.
template <class S>
struct CrossAttention {
  using Scalar = S;
  using State = AttentionState<S>;
  struct Tape {
    typename HeadProjection<S>::Tape queries, keys_values;
    Tensor<S> l;         // (B*N, C), N being the rows of y
    Tensor<S> q;         // (B*N, Q)
    Tensor<S> kv;        // (B, past + T, K + V); made larger by the first forward with that past
    Tensor<S> out;       // (B*N, H*Dv): O
    Tensor<S> log_sums;  // (B*H*N)
    Index past = 0;      // rows that the state held
    bool open = false;
    Tape() = default;
    Tape(const CrossAttention& m, Shape in, Index N)
        : queries(m.queries, {in.B, N}),
          keys_values(m.keys_values, in),
          l({in.B * N, m.in_channels()}),
          q({in.B * N, m.queries.out_channels()}),
          kv({in.rows(), m.keys_values.out_channels()}),
          out({in.B * N, m.out.in_channels()}),
          log_sums({in.B * N, m.shape.heads}) {}
  };

  AttentionShape shape{};
  Linear<S> latents;
  HeadProjection<S> queries, keys_values;  // rows of all heads' queries; of all heads' keys, then values
  Linear<S> out;
  Dropout<S> dropout;

  CrossAttention() = default;
  CrossAttention(NormKind norm, const AttentionConfig& c, double rate)
      : shape(attention_shape(c)),
        latents(c.width, c.width, c.bias),
        queries(projection(norm, c, shape.heads, shape.query_channels())),
        keys_values(projection(norm, c, shape.kv_heads, shape.key_channels() + shape.value_channels())),
        out(shape.out_channels(), c.width, c.bias),
        dropout(rate, c.width) {}

  Index in_channels() const { return latents.in_channels(); }
  Index out_channels() const { return out.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    const Seq<S> l{tape.l.data(), y.B, y.T, y.C}, q{tape.q.data(), y.B, y.T, queries.out_channels()};
    latents.apply(ctx, last_rows(ctx, x, y.T, frame), l);
    queries.forward(ctx, l, state.position + x.T - y.T, q, tape.queries);
    tape.open = state.open();
    tape.past = state.kept;
    if (tape.open) {
      const Seq<S> rows = frame.seq<S>(x.B, x.T, keys_values.out_channels());
      keys_values.forward(ctx, x, state.position, rows, tape.keys_values);
      state.append(ctx, rows);
      if (tape.kv.size() < x.B * state.kept * rows.C) tape.kv = Tensor<S>({x.B * state.kept, rows.C});
      ctx.parallel_ranges(x.B, 1, [&](Index b, Index, Arena&) {
        std::copy_n(state.row(b, 0), state.kept * rows.C, tape.kv.row(b * state.kept));
      });
    } else {
      keys_values.forward(ctx, x, 0, {tape.kv.data(), x.B, x.T, keys_values.out_channels()}, tape.keys_values);
    }
    const Index keys = tape.past + x.T;
    attention_forward(ctx, input_of(q, tape.kv.data(), keys, keys), tape.out.data(), tape.log_sums.data());
    out.apply(ctx, {tape.out.data(), y.B, y.T, out.in_channels()}, y);
    add(ctx.from_position(x.T - y.T), l, y);
  }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> rows = frame.seq<S>(x.B, x.T, keys_values.out_channels());
    const Index position = state.position;
    keys_values.step(ctx, x, position, rows);
    if (state.open()) state.append(ctx, rows);
    if (y.T == 0) return;
    const Seq<S> l = frame.seq<S>(y.B, y.T, y.C), q = frame.seq<S>(y.B, y.T, queries.out_channels());
    const Seq<S> o = frame.seq<S>(y.B, y.T, out.in_channels());
    latents.apply(ctx, last_rows(ctx, x, y.T, frame), l);
    queries.step(ctx, l, position + x.T - y.T, q);
    const AttentionInput<S> in =
        state.open() ? input_of(q, state.kv.data(), state.capacity(), state.kept) : input_of(q, rows.data, x.T, x.T);
    attention_forward(ctx, in, o.data, static_cast<S*>(nullptr));
    out.apply(ctx, o, y);
    add(ctx.from_position(x.T - y.T), l, y);
  }
  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, CrossAttention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Index N = dy.T, keys = tape.past + x.T;
    const Seq<S> l{tape.l.data(), dy.B, N, dy.C}, q{tape.q.data(), dy.B, N, queries.out_channels()};
    const Seq<S> d_rows = frame.seq<S>(x.B, x.T, keys_values.out_channels()), dl = frame.seq<S>(dy.B, N, dy.C);
    NoState none;
    NoTape no_tape;
    {
      // forward was: y = l + dropout(O W_out + b_out), and dl gets its share from the queries first.
      Frame inner(ctx.scratch());
      const Seq<S> d_o = inner.seq<S>(dy.B, N, out.in_channels()), d_q = inner.seq<S>(q.B, N, q.C);
      Seq<const S> d_branch = dy;
      if (dropout.active(ctx)) {
        dropout.apply(ctx.site(kDropoutSite).from_position(x.T - N), dy, dl);
        d_branch = dl;
      }
      out.backward(ctx, {tape.out.data(), dy.B, N, out.in_channels()}, d_branch, d_o, grad.out, none, no_tape);
      // O = softmax(scale Q K^T) V, over the keys and values of the state too.
      S* const d_kv = tape.open ? inner.take<S>(x.B * keys * d_rows.C) : d_rows.data;
      if (tape.open) dstate.scatter_last(ctx, d_kv, keys);  // what the state left received, 0 elsewhere
      else clear(ctx, d_rows);
      attention_backward(ctx, input_of(q, tape.kv.data(), keys, keys), tape.out.data(), tape.log_sums.data(), d_o.data,
                         AttentionGradient<S>{d_q.data, d_kv, d_kv + shape.key_channels()});
      if (tape.open) dstate.split(ctx, d_kv, tape.past, d_rows);
      queries.backward(ctx, l, d_q, dl, grad.queries, tape.queries);
    }
    add_to(ctx, dy, dl);
    keys_values.backward(ctx, x, d_rows, dx, grad.keys_values, tape.keys_values);
    // l = x W_latents + b_latents, of the last rows.
    const Seq<S> d_last = frame.seq<S>(dy.B, N, dy.C);
    latents.backward(ctx, last_rows(ctx, x, N, frame), dl, d_last, grad.latents, none, no_tape);
    ctx.parallel_ranges(x.B, 1, [&](Index b, Index, Arena&) {
      row_map(dx.row((b + 1) * x.T - N), N * x.C) += row_map(d_last.row(b * N), N * x.C);
    });
  }

  /// Of (B,T) rows of x and N of y, the last ones.
  Flops flops(Shape in, Index N) const {
    const Shape last{in.B, N};
    const double pairs = static_cast<double>(in.B) * shape.mask.pairs(N, in.T - N);
    return latents.flops(last) + queries.flops(last) + keys_values.flops(in) + out.flops(last) +
           Flops{.mixing = 2 * pairs * static_cast<double>(shape.heads * (shape.key_width + shape.value_width))};
  }
  double scratch(Shape in, Index N, Pass pass, int threads) const {
    const Shape last{in.B, N};
    const auto numbers = [](Shape s, Index channels) {
      return static_cast<double>(s.rows()) * static_cast<double>(channels);
    };
    const Index C = in_channels(), Q = queries.out_channels(), R = keys_values.out_channels(), O = out.in_channels();
    const double copied = N < in.T ? numbers(last, C) : 0;
    const double attention = attention_scratch<S>(shape, in.B, N, in.T, pass == Pass::backward, threads);
    const double projected = keys_values.scratch(in, pass, threads);
    if (pass == Pass::forward) return copied + std::max(projected, attention);
    if (pass == Pass::step) return numbers(in, R) + std::max(projected, numbers(last, C + Q + O) + copied + attention);
    return numbers(in, R) + numbers(last, C) +
           std::max({numbers(last, O + Q) + std::max(attention, queries.scratch(last, pass, threads)), projected,
                     numbers(last, C) + copied + latents.scratch(last, pass, threads)});
  }

  void init(RandomKey key, const Init& how) {
    latents.init(key.child(0), how);
    queries.init(key.child(1), how);
    keys_values.init(key.child(2), how);
    out.init(key.child(3), how);
    out.weight.vec() *= S(how.residual);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(Name{&at, "latents"}, f, m.latents...);
    HeadProjection<S>::visit(Name{&at, "queries"}, f, m.queries...);
    HeadProjection<S>::visit(Name{&at, "keys_values"}, f, m.keys_values...);
    Linear<S>::visit(Name{&at, "out"}, f, m.out...);
  }

 private:
  static constexpr std::uint64_t kDropoutSite = 1;
  static constexpr Index kNumbersPerTask = 16 * 1024;

  HeadProjection<S> projection(NormKind norm, const AttentionConfig& c, Index heads, Index channels) const {
    HeadProjection<S> p{.heads = heads,
                        .head_width = shape.key_width,
                        .rotary_base = c.rotary_base,
                        .norm = {norm, c.width},
                        .linear = {c.width, channels, c.bias},
                        .gain = {}};
    if (!c.qk_norm) return p;
    p.gain = Tensor<S>({shape.key_width});
    p.gain.fill(S(1));
    return p;
  }

  /// Rows of q at the end of the `keys` first of kv_rows rows of kv (B, kv_rows, K + V).
  AttentionInput<S> input_of(Seq<S> q, const S* kv, Index kv_rows, Index keys) const {
    const Index R = keys_values.out_channels();
    return {.shape = shape,
            .B = q.B,
            .Tq = q.T,
            .Tk = keys,
            .q = q.data,
            .k = kv,
            .v = kv + shape.key_channels(),
            .q_stride = q.C,
            .k_stride = R,
            .v_stride = R,
            .kv_rows = kv_rows};
  }

  /// The last N rows of each sequence of x.
  static Seq<const S> last_rows(const Context& ctx, Seq<const S> x, Index N, Frame& frame) {
    if (N == x.T) return x;
    const Seq<S> last = frame.seq<S>(x.B, N, x.C);
    ctx.parallel_ranges(x.B, 1,
                        [&](Index b, Index, Arena&) { std::copy_n(x.row((b + 1) * x.T - N), N * x.C, last.row(b * N)); });
    return last;
  }
  static void clear(const Context& ctx, Seq<S> rows) {
    ctx.parallel_ranges(rows.size(), kNumbersPerTask,
                        [&](Index begin, Index end, Arena&) { std::fill(rows.data + begin, rows.data + end, S(0)); });
  }
  /// y = l + dropout(y).
  void add(const Context& ctx, Seq<const S> l, Seq<S> y) const {
    if (dropout.active(ctx)) dropout.apply(ctx.site(kDropoutSite), y, y);
    add_to(ctx, l, y);
  }
};

}  // namespace megalith

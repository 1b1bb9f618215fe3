// SPDX-License-Identifier: Apache-2.0
// Causal multi-head linear attention: a constant memory of all that came before.
#pragma once

#include "megalith/kernels/feature_map.h"
#include "megalith/kernels/linear_attention.h"
#include "megalith/kernels/rotary.h"
#include "megalith/nn/linear.h"

namespace megalith {

struct LinearAttentionConfig {
  Index width = 512;       // C, in and out
  Index heads = 8;         // H
  Index key_width = 0;     // of a head; 0: width / heads. Even with rotary positions
  Index value_width = 0;   // of a head; 0: width / heads
  double rotary_base = 0;  // 0: no rotation
  bool bias = true;
  bool recompute = false;  // keeps only what attention gave, and computes queries, keys and values again in backward
};

/// What linear attention carries to later rows: its running sums, as large after a million rows as after one.
template <class S>
struct LinearAttentionState {
  Tensor<S> value_sums;  // S, (B, H, Dk, Dv); empty when closed
  Tensor<S> key_sums;    // z, (B, H, Dk)
  Index position = 0;    // of the next row since the start of the sequence

  LinearAttentionState() = default;
  template <class Attention>
  LinearAttentionState(const Attention& m, Index B, Index room = 0) {
    if (room == 0) return;
    value_sums = Tensor<S>({B, m.heads, m.key_width, m.value_width});
    key_sums = Tensor<S>({B, m.heads, m.key_width});
  }

  bool open() const { return !value_sums.empty(); }
  bool valid(Index rows) const { return position == (open() ? rows : 0); }
  void reset(Index rows = 0) {
    value_sums.fill(S(0));
    key_sums.fill(S(0));
    position = open() ? rows : 0;
  }
  RunningSums<S> sums() { return {value_sums.data(), key_sums.data()}; }
  RunningSums<const S> sums() const { return {value_sums.data(), key_sums.data()}; }

  template <class F, class... St>
  static void visit(const Name& at, F&& f, St&... state) {
    if (!(state.open() || ...)) return;
    f(Name{&at, "value_sums"}, state.value_sums...);
    f(Name{&at, "key_sums"}, state.key_sums...);
  }
  template <class F, class... St>
  static void visit_all(const Name& at, F&& f, St&... state) {
    visit(at, f, state...);
    f(Name{&at, "position"}, state.position...);
  }
};

/// [Q K V] = x W_qkv + b_qkv; o_i = phi(q_i) S_i / phi(q_i) z_i per head, with S_i the sum of phi(k_j)^T v_j and z_i that of
/// phi(k_j) over j <= i, phi(x) = elu(x) + 1 (Katharopoulos et al. 2020, eq. 7 and 10 to 12); y = O W_out + b_out. Rotary
/// positions turn phi(q) and phi(k) in the numerator alone (Su et al. 2021, 3.3).
template <class S>
struct LinearAttention {
  using Scalar = S;
  using State = LinearAttentionState<S>;
  struct Tape {
    Tensor<S> rows;  // (B*T, Q + K + V): phi(q), phi(k) and v; empty where they are computed again
    Tensor<S> out;   // (B*T, H*Dv): O
    State received;  // the state that forward began with; only of an open one; made by the first forward
    Tape() = default;
    Tape(const LinearAttention& m, Shape in) : out({in.rows(), m.out.in_channels()}) {
      if (!m.recompute) rows = Tensor<S>({in.rows(), m.qkv.out_channels()});
    }
  };

  Index heads = 1, key_width = 0, value_width = 0;  // H, Dk, Dv
  double rotary_base = 0;                           // 0: no rotation
  bool recompute = false;
  Linear<S> qkv, out;  // (C, Q + K + V): all heads' queries, then keys, then values; (H*Dv, C)

  LinearAttention() = default;
  explicit LinearAttention(const LinearAttentionConfig& c)
      : heads(c.heads),
        key_width(c.key_width > 0 ? c.key_width : c.width / c.heads),
        value_width(c.value_width > 0 ? c.value_width : c.width / c.heads),
        rotary_base(c.rotary_base),
        recompute(c.recompute),
        qkv(c.width, heads * (2 * key_width + value_width), c.bias),
        out(heads * value_width, c.width, c.bias) {}

  Index in_channels() const { return qkv.in_channels(); }
  Index out_channels() const { return out.out_channels(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    tape.received = state;
    const Seq<S> rows = kept_or_scratch(x.shape(), tape, frame);
    project(ctx, x, rows);
    attend(ctx, rows, tape.out.data(), state);
    replay(ctx, y, tape);
  }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    Frame frame(ctx.scratch());
    const Seq<S> rows = frame.seq<S>(x.B, x.T, qkv.out_channels()), o = frame.seq<S>(x.B, x.T, out.in_channels());
    project(ctx, x, rows);
    attend(ctx, rows, o.data, state);
    out.apply(ctx, o, y);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, LinearAttention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const State& received = tape.received;
    const Seq<S> rows = kept_or_scratch(x.shape(), tape, frame);
    if (recompute) project(ctx, x, rows);
    // forward was: y = O W_out + b_out.
    const Seq<const S> o{tape.out.data(), x.B, x.T, out.in_channels()};
    const Seq<S> d_o = o.C == dx.C ? dx : frame.seq<S>(o.B, o.T, o.C);  // dx is written last
    NoState none;
    NoTape no_tape;
    out.backward(ctx, o, dy, d_o, grad.out, none, no_tape);
    // o_i = phi(q_i) S_i / phi(q_i) z_i, with phi(q) and phi(k) turned in the numerator.
    const Seq<S> d_rows = frame.seq<S>(x.B, x.T, rows.C);
    const Seq<S> turned = turn(ctx, rows, received.position, frame);
    const Seq<S> d_turned = turned.data == rows.data ? d_rows : frame.seq<S>(x.B, x.T, turned.C);
    linear_attention_backward<S>(
        ctx, input_of(rows, turned), o.data, d_o.data, received.sums(), dstate.sums(),
        {head_rows(d_rows, 0, key_width), head_rows(d_rows, keys(), key_width), head_rows(d_turned, 0, key_width),
         head_rows(d_turned, keys(), key_width), head_rows(d_rows, 2 * keys(), value_width)});
    if (rotary_base > 0) rotate(ctx, d_turned, 0, 2 * heads, key_width, received.position, rotary_base, Turn::back);
    ctx.parallel_rows(rows.row_count(), 2 * keys(), [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        auto d = row_map(d_rows.row(i), 2 * keys());
        if (rotary_base > 0) d += row_map(d_turned.row(i), 2 * keys());
        feature_map_backward<S>(row_map<const S>(rows.row(i), 2 * keys()), d);
      }
    });
    // [Q K V] = x W_qkv + b_qkv.
    qkv.backward(ctx, x, d_rows, dx, grad.qkv, none, no_tape);
    dstate.position = received.position;
  }

  /// y of forward once more, from what its tape keeps.
  void replay(const Context& ctx, Seq<S> y, const Tape& tape) const {
    out.apply(ctx, {tape.out.data(), y.B, y.T, out.in_channels()}, y);
  }

  /// Of attention what the running sums need: Dk Dv multiply-adds to add a row, as many to read from them, and Dk for the
  /// denominator. Within a chunk weights are computed instead, whose cost is not counted.
  Flops flops(Shape in) const {
    const double row_and_head = static_cast<double>(4 * key_width * value_width + 2 * key_width);
    return qkv.flops(in) + out.flops(in) + Flops{.mixing = static_cast<double>(in.rows() * heads) * row_and_head};
  }
  double scratch(Shape in, Pass pass, int threads) const {
    const bool backward = pass == Pass::backward, keeps = pass != Pass::step && !recompute;
    const Index turned = rotary_base > 0 ? 2 * keys() : 0;
    const Index of_row =
        (keeps ? 0 : qkv.out_channels()) + (pass == Pass::step ? out.in_channels() : 0) + turned +
        (backward ? qkv.out_channels() + turned + (out.in_channels() == in_channels() ? 0 : out.in_channels()) : 0);
    const HeadRows<const S> key_rows{nullptr, 0, key_width}, value_rows{nullptr, 0, value_width};
    const LinearAttentionInput<S> input{in.B, in.T, heads, key_rows, key_rows, key_rows, key_rows, value_rows};
    return static_cast<double>(in.rows()) * static_cast<double>(of_row) +
           std::max({linear_attention_scratch(input, backward, threads), qkv.scratch(in, pass, threads),
                     out.scratch(in, pass, threads)});
  }

  void init(RandomKey key, const Init& how) {
    qkv.init(key.child(0), how);
    out.init(key.child(1), how);
    out.weight.vec() *= S(how.residual);
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(Name{&at, "qkv"}, f, m.qkv...);
    Linear<S>::visit(Name{&at, "out"}, f, m.out...);
  }

 private:
  /// Numbers of all heads' keys in a row, and of their queries.
  Index keys() const { return heads * key_width; }

  Seq<S> kept_or_scratch(Shape in, Tape& tape, Frame& frame) const {
    if (recompute) return frame.seq<S>(in.B, in.T, qkv.out_channels());
    return {tape.rows.data(), in.B, in.T, qkv.out_channels()};
  }
  /// rows = x W_qkv + b, queries and keys through phi.
  void project(const Context& ctx, Seq<const S> x, Seq<S> rows) const {
    qkv.apply(ctx, x, rows);
    ctx.parallel_rows(rows.row_count(), 2 * keys(), [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) feature_map<S>(row_map(rows.row(i), 2 * keys()));
    });
  }
  void attend(const Context& ctx, Seq<S> rows, S* o, State& state) const {
    Frame frame(ctx.scratch());
    linear_attention_forward<S>(ctx, input_of(rows, turn(ctx, rows, state.position, frame)), o, state.sums());
    if (state.open()) state.position += rows.T;
  }
  /// phi(q) and phi(k) rotated from `position` on, (B, T, Q + K); or the rows themselves.
  Seq<S> turn(const Context& ctx, Seq<S> rows, Index position, Frame& frame) const {
    if (rotary_base <= 0) return rows;
    const Seq<S> turned = frame.seq<S>(rows.B, rows.T, 2 * keys());
    ctx.parallel_rows(rows.row_count(), turned.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) std::copy_n(rows.row(i), turned.C, turned.row(i));
    });
    rotate(ctx, turned, 0, 2 * heads, key_width, position, rotary_base, Turn::forward);
    return turned;
  }

  /// The heads that begin at a channel of each row.
  template <class T>
  static HeadRows<T> head_rows(Seq<T> rows, Index channel, Index width) {
    return {rows.data + channel, rows.C, width};
  }
  LinearAttentionInput<S> input_of(Seq<const S> rows, Seq<const S> turned) const {
    return {rows.B,
            rows.T,
            heads,
            head_rows(rows, 0, key_width),
            head_rows(rows, keys(), key_width),
            head_rows(turned, 0, key_width),
            head_rows(turned, keys(), key_width),
            head_rows(rows, 2 * keys(), value_width)};
  }
};

}  // namespace megalith

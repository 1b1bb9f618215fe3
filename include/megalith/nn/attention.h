// SPDX-License-Identifier: Apache-2.0
// Causal multi-head self-attention.
#pragma once

#include "megalith/kernels/attention.h"
#include "megalith/kernels/head_norm.h"
#include "megalith/kernels/rotary.h"
#include "megalith/nn/attention_state.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

/// y = softmax(Q K^T / sqrt(D)) V W_out + b_out per head, [Q K V] = x W_qkv + b_qkv, each position seeing itself and what
/// came before (Vaswani et al. 2017, 3.2), the last `window` positions where that is not 0. Options: rotary positions (Su et
/// al. 2021); RMSNorm of each head's queries and keys before the rotation (Henry et al. 2020).
template <class S>
struct Attention {
  using Scalar = S;
  using State = AttentionState<S>;
  struct Tape {
    Tensor<S> qkv;       // (B*T, 3C): what attention read, normalised and rotated; empty where it is computed again
    Tensor<S> raw;       // (B*T, 2C): queries and keys before their norm; only with qk_norm; empty likewise
    Tensor<S> out;       // (B*T, C): before W_out
    Tensor<S> log_sums;  // (B*H*T)
    Tensor<S> kv;        // (B, past + T, 2C): only for an open state
    Index past = 0;      // rows that the state held
    Index position = 0;  // of the first row
    bool open = false;
    Tape() = default;
    Tape(const Attention& m, Shape in) : out({in.rows(), m.in_channels()}), log_sums({in.rows() * m.heads}) {
      if (m.recompute) return;
      qkv = Tensor<S>({in.rows(), 3 * m.in_channels()});
      if (m.qk_norm()) raw = Tensor<S>({in.rows(), 2 * m.in_channels()});
    }
  };

  Index heads = 1;
  Index window = 0;        // 0: all
  double rotary_base = 0;  // 0: no rotation
  bool recompute = false;
  Linear<S> qkv, out;
  Tensor<S> q_gain, k_gain;  // (D), or empty: the norms of queries and keys, shared by the heads

  Attention() = default;
  explicit Attention(const StackConfig& c)
      : heads(c.heads),
        window(c.window),
        rotary_base(c.positions == PositionKind::rotary ? c.rotary_base : 0),
        recompute(c.recompute),
        qkv(c.width, 3 * c.width, c.bias),
        out(c.width, c.width, c.bias) {
    if (!c.qk_norm) return;
    q_gain = k_gain = Tensor<S>({head_width()});
    q_gain.fill(S(1));
    k_gain.fill(S(1));
  }

  Index in_channels() const { return out.in_channels(); }
  Index out_channels() const { return out.out_channels(); }
  Index head_width() const { return in_channels() / heads; }
  bool qk_norm() const { return !q_gain.empty(); }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    const Index C = in_channels();
    Frame frame(ctx.scratch());
    tape.open = state.open();
    tape.past = state.kept;
    tape.position = state.position;
    const Kept kept = kept_or_scratch(x.shape(), tape, frame);
    const Seq<S> rows = kept.rows;
    project(ctx, x, rows, state.position, kept.raw);
    if (tape.open) {
      const Index keys = tape.past + x.T;
      if (tape.kv.size() != x.B * keys * 2 * C) tape.kv = Tensor<S>({x.B, keys, 2 * C});
      join(ctx, state, rows, tape.kv.data());
      state.keep_last(ctx, tape.kv.data(), keys, x.T);
    }
    attention_forward(ctx, input(rows, tape), tape.out.data(), tape.log_sums.data());
    replay(ctx, y, tape);
  }

  /// y of forward once more, from what its tape keeps.
  void replay(const Context& ctx, Seq<S> y, const Tape& tape) const {
    out.apply(ctx, {tape.out.data(), y.B, y.T, in_channels()}, y);
  }

  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State& state) const {
    const Index C = in_channels();
    Frame frame(ctx.scratch());
    const Seq<S> rows = frame.seq<S>(x.B, x.T, 3 * C);
    const Seq<S> attended = frame.seq<S>(x.B, x.T, C);
    project(ctx, x, rows, state.position, nullptr);
    AttentionInput<S> in = input_of(rows);
    if (state.open()) {
      if (state.make_room(ctx, x.T)) {
        state.append(ctx, rows);
        set_keys(in, state.kv.data(), state.capacity(), state.kept);
      } else {  // a window whose room is smaller than this piece and what it sees
        const Index keys = state.kept + x.T;
        S* const kv = frame.take<S>(x.B * keys * 2 * C);
        join(ctx, state, rows, kv);
        state.keep_last(ctx, kv, keys, x.T);
        set_keys(in, kv, keys, keys);
      }
    }
    attention_forward(ctx, in, attended.data, static_cast<S*>(nullptr));
    out.apply(ctx, attended, y);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Attention& grad, State& dstate,
                Tape& tape) const {
    const Index C = in_channels();
    Frame frame(ctx.scratch());
    const Kept kept = kept_or_scratch(x.shape(), tape, frame);
    const Seq<S> rows = kept.rows;
    if (recompute) project(ctx, x, rows, tape.position, kept.raw);
    const Seq<S> d_rows = frame.seq<S>(x.B, x.T, 3 * C);
    const Seq<S> d_out = dx;  // which is written last
    NoState none;
    NoTape no_tape;
    out.backward(ctx, {tape.out.data(), x.B, x.T, C}, dy, d_out, grad.out, none, no_tape);

    AttentionGradient<S> d{d_rows.data, d_rows.data + C, d_rows.data + 2 * C};
    S* d_kv = nullptr;
    if (tape.open) {
      const Index keys = tape.past + x.T;
      d_kv = frame.take<S>(x.B * keys * 2 * C);
      dstate.scatter_last(ctx, d_kv, keys);  // what the state left received, 0 elsewhere
      d.dk = d_kv;
      d.dv = d_kv + C;
    } else {
      ctx.parallel_rows(x.row_count(), 2 * C, [&](Index begin, Index end, Arena&) {
        for (Index i = begin; i < end; ++i) row_map(d_rows.row(i) + C, 2 * C).setConstant(S(0));
      });
    }
    attention_backward(ctx, input(rows, tape), tape.out.data(), tape.log_sums.data(), d_out.data, d);
    if (tape.open) part(ctx, d_kv, tape.past, d_rows, dstate);
    if (rotary_base > 0) rotate(ctx, d_rows, 0, 2 * heads, head_width(), tape.position, rotary_base, Turn::back);
    if (qk_norm()) {
      const Seq<const S> raw{kept.raw, x.B, x.T, 2 * C};
      head_norm_backward(ctx, raw, 0, heads, q_gain, d_rows, grad.q_gain);
      head_norm_backward(ctx, raw, C, heads, k_gain, d_rows, grad.k_gain);
    }
    qkv.backward(ctx, x, d_rows, dx, grad.qkv, none, no_tape);
  }

  double flops(Shape in) const {
    // A pair costs D multiply-adds for its score and D for its value, in each head.
    const double pairs = static_cast<double>(in.B) * attention_pairs(in.T, window);
    return qkv.flops(in) + out.flops(in) + 4.0 * pairs * static_cast<double>(in_channels());
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
  /// What backward needs of the projection: in the tape, or computed again into scratch.
  struct Kept {
    Seq<S> rows;  // (B,T,3C)
    S* raw;       // (B*T, 2C), or null
  };
  Kept kept_or_scratch(Shape in, Tape& tape, Frame& frame) const {
    const Index C = in_channels();
    if (!recompute) return {{tape.qkv.data(), in.B, in.T, 3 * C}, qk_norm() ? tape.raw.data() : nullptr};
    return {frame.seq<S>(in.B, in.T, 3 * C), qk_norm() ? frame.take<S>(in.rows() * 2 * C) : nullptr};
  }

  /// rows = x W_qkv + b, queries and keys normalised and rotated; raw queries and keys to `raw` unless it is null.
  void project(const Context& ctx, Seq<const S> x, Seq<S> rows, Index position, S* raw) const {
    const Index C = in_channels();
    qkv.apply(ctx, x, rows);
    if (qk_norm()) {
      if (raw != nullptr) {
        ctx.parallel_rows(rows.row_count(), 2 * C, [&](Index begin, Index end, Arena&) {
          for (Index i = begin; i < end; ++i) row_map(raw + i * 2 * C, 2 * C) = row_map(rows.row(i), 2 * C);
        });
      }
      head_norm_forward(ctx, rows, 0, heads, q_gain);
      head_norm_forward(ctx, rows, C, heads, k_gain);
    }
    if (rotary_base > 0) rotate(ctx, rows, 0, 2 * heads, head_width(), position, rotary_base, Turn::forward);
  }

  /// Attention within `rows` (B,T,3C) alone.
  AttentionInput<S> input_of(Seq<S> rows) const {
    const Index C = in_channels();
    return {rows.data, 3 * C,  rows.data + C, rows.data + 2 * C, 3 * C, rows.T, rows.B, heads, head_width(),
            rows.T,    rows.T, window};
  }
  /// Takes the keys and values from kv (B, kv_rows, 2C) instead, of which the first `keys` rows count.
  void set_keys(AttentionInput<S>& in, const S* kv, Index kv_rows, Index keys) const {
    const Index C = in_channels();
    in.k = kv;
    in.v = kv + C;
    in.kv_stride = 2 * C;
    in.kv_rows = kv_rows;
    in.Tk = keys;
  }
  AttentionInput<S> input(Seq<S> rows, const Tape& tape) const {
    AttentionInput<S> in = input_of(rows);
    if (tape.open) set_keys(in, tape.kv.data(), tape.past + rows.T, tape.past + rows.T);
    return in;
  }

  /// kv = what the state keeps, then the keys and values of `rows`: (B, kept + T, 2C).
  void join(const Context& ctx, const State& state, Seq<S> rows, S* kv) const {
    const Index C2 = 2 * in_channels(), keys = state.kept + rows.T;
    ctx.parallel_rows(rows.B * keys, C2, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / keys, j = i % keys;
        const S* const from = j < state.kept ? state.row(b, j) : rows.row(b * rows.T + j - state.kept) + C2 / 2;
        row_map(kv + i * C2, C2) = row_map(from, C2);
      }
    });
  }
  /// The transpose of join: the first `past` rows of d_kv become dstate, the others the keys' and values' part of d_rows.
  void part(const Context& ctx, const S* d_kv, Index past, Seq<S> d_rows, State& dstate) const {
    const Index C2 = 2 * in_channels(), keys = past + d_rows.T;
    dstate.kept = past;
    ctx.parallel_rows(d_rows.B * keys, C2, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / keys, j = i % keys;
        S* const to = j < past ? dstate.row(b, j) : d_rows.row(b * d_rows.T + j - past) + C2 / 2;
        row_map(to, C2) = row_map(d_kv + i * C2, C2);
      }
    });
  }
};

}  // namespace megalith

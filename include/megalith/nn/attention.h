// SPDX-License-Identifier: Apache-2.0
// Causal multi-head self-attention.
#pragma once

#include "megalith/kernels/attention.h"
#include "megalith/kernels/attention_scratch.h"
#include "megalith/kernels/head_norm.h"
#include "megalith/kernels/rotary.h"
#include "megalith/nn/attention_config.h"
#include "megalith/nn/attention_state.h"
#include "megalith/nn/linear.h"

namespace megalith {

/// [Q K V] = x W_qkv + b_qkv; O = softmax(scale Q K^T) V per head, each position seeing of itself and what came before what
/// the mask lets it see (Vaswani et al. 2017, 3.2); y = O W_out + b_out. Options: heads of queries share a head of keys and
/// values (Ainslie et al. 2023); rotary positions (Su et al. 2021); RMSNorm of each head's queries and keys before the
/// rotation (Henry et al. 2020).
template <class S>
struct Attention {
  using Scalar = S;
  using State = AttentionState<S>;
  struct Tape {
    Tensor<S> qkv;       // (B*T, Q + K + V): what attention read, normalised and rotated; empty where it is computed again
    Tensor<S> raw;       // (B*T, Q + K): queries and keys before their norm; only with qk_norm; empty likewise
    Tensor<S> out;       // (B*T, H*Dv): O
    Tensor<S> log_sums;  // (B*H*T)
    Tensor<S> kv;        // (B, past + T, K + V): only for an open state; made by the first forward with that past
    Index past = 0;      // rows that the state held
    Index position = 0;  // of the first row
    bool open = false;
    Tape() = default;
    Tape(const Attention& m, Shape in) : out({in.rows(), m.out.in_channels()}), log_sums({in.rows(), m.shape.heads}) {
      if (m.recompute) return;
      qkv = Tensor<S>({in.rows(), m.qkv.out_channels()});
      if (m.qk_norm()) raw = Tensor<S>({in.rows(), m.qk_channels()});
    }
  };

  AttentionShape shape{};
  double rotary_base = 0;  // 0: no rotation
  bool recompute = false;
  Linear<S> qkv, out;        // (C, Q + K + V): all heads' queries, then keys, then values; (H*Dv, C)
  Tensor<S> q_gain, k_gain;  // (Dk), or empty: the norms of queries and keys, shared by the heads

  Attention() = default;
  explicit Attention(const AttentionConfig& c)
      : shape(attention_shape(c)),
        rotary_base(c.rotary_base),
        recompute(c.recompute),
        qkv(c.width, qk_channels() + shape.value_channels(), c.bias),
        out(shape.out_channels(), c.width, c.bias) {
    assert(shape.heads % shape.kv_heads == 0);
    if (!c.qk_norm) return;
    q_gain = k_gain = Tensor<S>({shape.key_width});
    q_gain.fill(S(1));
    k_gain.fill(S(1));
  }

  Index in_channels() const { return qkv.in_channels(); }
  Index out_channels() const { return out.out_channels(); }
  bool qk_norm() const { return !q_gain.empty(); }

  /// y = O W_out + b_out, O = softmax(scale Q K^T) V, [Q K V] = x W_qkv + b_qkv; Q and K normalised, then rotated.
  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State& state, Tape& tape) const {
    Frame frame(ctx.scratch());
    tape.open = state.open();
    tape.past = state.kept;
    tape.position = state.position;
    const Projected projected = kept_or_scratch(x.shape(), tape, frame);
    project(ctx, x, state.position, projected);
    if (tape.open) {
      const Index keys = tape.past + x.T;
      if (tape.kv.size() < x.B * keys * kv_channels()) tape.kv = Tensor<S>({x.B, keys, kv_channels()});
      concat_keys_values(ctx, state, projected.rows, tape.kv.data());
      state.keep_last(ctx, tape.kv.data(), keys, x.T);
    }
    attention_forward(ctx, input_of(projected.rows, tape), tape.out.data(), tape.log_sums.data());
    replay(ctx, y, tape);
  }

  void backward(const Context& ctx, Seq<const S> x, Seq<const S> dy, Seq<S> dx, Attention& grad, State& dstate,
                Tape& tape) const {
    Frame frame(ctx.scratch());
    const Projected projected = kept_or_scratch(x.shape(), tape, frame);
    if (recompute) project(ctx, x, tape.position, projected);
    // forward was: y = O W_out + b_out.
    const Seq<const S> o{tape.out.data(), x.B, x.T, out.in_channels()};
    const Seq<S> d_o = o.C == dx.C ? dx : frame.seq<S>(o.B, o.T, o.C);  // dx is written last
    NoState none;
    NoTape no_tape;
    out.backward(ctx, o, dy, d_o, grad.out, none, no_tape);
    // O = softmax(scale Q K^T) V, over the keys and values of the state too.
    const Seq<S> d_rows = frame.seq<S>(x.B, x.T, qkv.out_channels());
    AttentionGradient<S> d{d_rows.data, keys_in(d_rows.data), values_in(d_rows.data)};
    S* d_kv = nullptr;
    if (tape.open) {
      const Index keys = tape.past + x.T;
      d_kv = frame.take<S>(x.B * keys * kv_channels());
      dstate.scatter_last(ctx, d_kv, keys);  // what the state left received, 0 elsewhere
      d.dk = d_kv;
      d.dv = d_kv + shape.key_channels();
    } else {
      clear_keys_values(ctx, d_rows);
    }
    attention_backward(ctx, input_of(projected.rows, tape), o.data, tape.log_sums.data(), d_o.data, d);
    if (tape.open) split_gradient(ctx, d_kv, tape.past, d_rows, dstate);
    // [Q K V] = x W_qkv + b_qkv; Q and K normalised, then rotated.
    rotate_heads(ctx, d_rows, tape.position, Turn::back);
    if (qk_norm()) {
      const Seq<const S> raw{projected.raw, x.B, x.T, qk_channels()};
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
    AttentionInput<S> in = input_of(rows);
    if (state.open()) {
      if (state.make_room(ctx, x.T)) {
        state.append(ctx, rows);
        set_keys(in, state.kv.data(), state.capacity(), state.kept, state.first_position());
      } else {  // the mask's room is smaller than this piece and what it sees
        const Index keys = state.kept + x.T;
        S* const kv = frame.take<S>(x.B * keys * kv_channels());
        concat_keys_values(ctx, state, rows, kv);
        set_keys(in, kv, keys, keys, state.first_position());
        state.keep_last(ctx, kv, keys, x.T);
      }
    }
    attention_forward(ctx, in, o.data, static_cast<S*>(nullptr));
    out.apply(ctx, o, y);
  }

  /// y of forward once more, from what its tape keeps.
  void replay(const Context& ctx, Seq<S> y, const Tape& tape) const {
    out.apply(ctx, {tape.out.data(), y.B, y.T, out.in_channels()}, y);
  }

  Flops flops(Shape in) const { return qkv.flops(in) + out.flops(in) + Flops{.mixing = pair_flops(in)}; }
  double scratch(Shape in, Pass pass, int threads) const {
    const double rows = static_cast<double>(in.rows());
    const Index kept = qkv.out_channels() + (qk_norm() ? qk_channels() : 0);  // of a row: what a tape keeps, or scratch
    const bool keeps = pass != Pass::step && !recompute;
    const Index own = pass == Pass::forward ? 0
                      : pass == Pass::step
                          ? out.in_channels() - (qk_norm() ? qk_channels() : 0)
                          : qkv.out_channels() + (out.in_channels() == in_channels() ? 0 : out.in_channels());
    return rows * static_cast<double>(own + (keeps ? 0 : kept)) +
           std::max({attention_scratch<S>(shape, in.B, in.T, in.T, pass == Pass::backward, threads),
                     qkv.scratch(in, pass, threads), out.scratch(in, pass, threads)});
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
  // A row of the projection: Q = H*Dk numbers of queries, K = Hkv*Dk of keys, V = Hkv*Dv of values.
  Index qk_channels() const { return shape.query_channels() + shape.key_channels(); }
  Index kv_channels() const { return shape.key_channels() + shape.value_channels(); }
  S* keys_in(S* row) const { return row + shape.query_channels(); }
  S* values_in(S* row) const { return row + qk_channels(); }

  /// Of the scores and the sums of values: a pair costs Dk + Dv multiply-adds in each head.
  double pair_flops(Shape in) const {
    const double pairs = static_cast<double>(in.B) * shape.mask.pairs(in.T);
    return 2 * pairs * static_cast<double>(shape.heads * (shape.key_width + shape.value_width));
  }

  /// The projection, and what backward needs beside it: in the tape, or computed again into scratch.
  struct Projected {
    Seq<S> rows;  // (B, T, Q + K + V)
    S* raw;       // (B*T, Q + K): queries and keys before their norm; or null
  };
  Projected kept_or_scratch(Shape in, Tape& tape, Frame& frame) const {
    const Index channels = qkv.out_channels();
    if (!recompute) return {{tape.qkv.data(), in.B, in.T, channels}, qk_norm() ? tape.raw.data() : nullptr};
    return {frame.seq<S>(in.B, in.T, channels), qk_norm() ? frame.take<S>(in.rows() * qk_channels()) : nullptr};
  }

  /// rows = x W_qkv + b, queries and keys normalised and rotated from `position` on.
  void project(const Context& ctx, Seq<const S> x, Index position, const Projected& to) const {
    qkv.apply(ctx, x, to.rows);
    if (qk_norm()) {
      const Index n = qk_channels();
      if (to.raw != nullptr) {
        ctx.parallel_rows(x.row_count(), n, [&](Index begin, Index end, Arena&) {
          for (Index i = begin; i < end; ++i) row_map(to.raw + i * n, n) = row_map(to.rows.row(i), n);
        });
      }
      head_norm_forward(ctx, to.rows, 0, shape.heads, q_gain);
      head_norm_forward(ctx, to.rows, shape.query_channels(), shape.kv_heads, k_gain);
    }
    rotate_heads(ctx, to.rows, position, Turn::forward);
  }
  void rotate_heads(const Context& ctx, Seq<S> rows, Index position, Turn turn) const {
    if (rotary_base <= 0) return;
    rotate(ctx, rows, 0, shape.heads + shape.kv_heads, shape.key_width, position, rotary_base, turn);
  }

  /// Attention within `rows` (B, T, Q + K + V) alone.
  AttentionInput<S> input_of(Seq<S> rows) const {
    return {.shape = shape,
            .B = rows.B,
            .Tq = rows.T,
            .Tk = rows.T,
            .q = rows.data,
            .k = keys_in(rows.data),
            .v = values_in(rows.data),
            .q_stride = rows.C,
            .k_stride = rows.C,
            .v_stride = rows.C,
            .kv_rows = rows.T};
  }
  /// Takes the keys and values from kv (B, kv_rows, K + V) instead, of which the first `keys` rows count.
  void set_keys(AttentionInput<S>& in, const S* kv, Index kv_rows, Index keys, Index first_position) const {
    in.k = kv;
    in.v = kv + shape.key_channels();
    in.k_stride = in.v_stride = kv_channels();
    in.kv_rows = kv_rows;
    in.Tk = keys;
    in.first_position = first_position;
  }
  AttentionInput<S> input_of(Seq<S> rows, const Tape& tape) const {
    AttentionInput<S> in = input_of(rows);
    const Index keys = tape.past + rows.T;
    if (tape.open) set_keys(in, tape.kv.data(), keys, keys, tape.position - tape.past);
    return in;
  }

  /// kv = what the state keeps, then the keys and values of `rows`: (B, kept + T, K + V).
  void concat_keys_values(const Context& ctx, const State& state, Seq<S> rows, S* kv) const {
    const Index n = kv_channels(), keys = state.kept + rows.T;
    ctx.parallel_rows(rows.B * keys, n, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / keys, j = i % keys;
        const S* const from = j < state.kept ? state.row(b, j) : keys_in(rows.row(b * rows.T + j - state.kept));
        row_map(kv + i * n, n) = row_map(from, n);
      }
    });
  }
  /// The transpose: the first `past` rows of d_kv become dstate, the others the part of the keys and values in d_rows.
  void split_gradient(const Context& ctx, const S* d_kv, Index past, Seq<S> d_rows, State& dstate) const {
    const Index n = kv_channels(), keys = past + d_rows.T;
    dstate.kept = past;
    ctx.parallel_rows(d_rows.B * keys, n, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const Index b = i / keys, j = i % keys;
        S* const to = j < past ? dstate.row(b, j) : keys_in(d_rows.row(b * d_rows.T + j - past));
        row_map(to, n) = row_map(d_kv + i * n, n);
      }
    });
  }
  void clear_keys_values(const Context& ctx, Seq<S> d_rows) const {
    const Index n = kv_channels();
    ctx.parallel_rows(d_rows.row_count(), n, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) row_map(keys_in(d_rows.row(i)), n).setConstant(S(0));
    });
  }
};

}  // namespace megalith

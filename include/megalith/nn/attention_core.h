// SPDX-License-Identifier: Apache-2.0
// Attention between queries, keys and values that are there, with what it carries from earlier rows.
#pragma once

#include "megalith/kernels/attention.h"
#include "megalith/kernels/attention_scratch.h"
#include "megalith/nn/attention_state.h"

namespace megalith {

/// The library's one kernel of softmax attention, in the form in which AttentionCore calls a kernel.
template <class S>
struct SoftmaxAttention {
  void forward(const Context& ctx, const AttentionInput<S>& in, S* o, S* log_sums) const {
    attention_forward(ctx, in, o, log_sums);
  }
  void backward(const Context& ctx, const AttentionInput<S>& in, const S* o, const S* log_sums, const S* d_o,
                const AttentionGradient<S>& out) const {
    attention_backward(ctx, in, o, log_sums, d_o, out);
  }
};

/// O = softmax(scale Q K^T) V per head (Vaswani et al. 2017, 3.2), each position seeing of itself and what came before what
/// the mask lets it see. What makes Q, K and V is the owner's matter: they stand side by side in rows of Q + K + V numbers.
/// Another kernel may be given for other weights than those of a softmax; flops() holds for it, scratch() does not.
template <class S>
struct AttentionCore {
  using State = AttentionState<S>;
  struct Tape {
    Tensor<S> out;       // (B*T, H*Dv): O
    Tensor<S> log_sums;  // (B*H*T)
    Tensor<S> kv;        // (B, past + T, K + V): only for an open state; made by the first forward with that past
    Index past = 0;      // rows that the state held
    Index position = 0;  // of the first row
    bool open = false;
    Tape() = default;
    Tape(const AttentionCore& m, Shape in)
        : out({in.rows(), m.shape.out_channels()}), log_sums({in.rows(), m.shape.heads}) {}
    Seq<S> output(Shape in) { return {out.data(), in.B, in.T, out.cols()}; }
  };

  AttentionShape shape{};

  Index qk_channels() const { return shape.query_channels() + shape.key_channels(); }
  Index row_channels() const { return qk_channels() + shape.value_channels(); }

  /// O goes into the tape.
  template <class Kernel = SoftmaxAttention<S>>
  void forward(const Context& ctx, Seq<S> rows, State& state, Tape& tape, const Kernel& kernel = {}) const {
    tape.open = state.open();
    tape.past = state.kept;
    tape.position = state.position;
    if (tape.open) {
      const Index keys = tape.past + rows.T;
      if (tape.kv.size() < rows.B * keys * kv_channels()) tape.kv = Tensor<S>({rows.B, keys, kv_channels()});
      concat_keys_values(ctx, state, rows, tape.kv.data());
      state.keep_last(ctx, tape.kv.data(), keys, rows.T);
    }
    kernel.forward(ctx, input_of(rows, tape), tape.out.data(), tape.log_sums.data());
  }

  template <class Kernel = SoftmaxAttention<S>>
  void step(const Context& ctx, Seq<S> rows, Seq<S> o, State& state, const Kernel& kernel = {}) const {
    Frame frame(ctx.scratch());
    AttentionInput<S> in = input_of(rows);
    if (state.open()) {
      if (state.make_room(ctx, rows.T)) {
        state.append(ctx, rows);
        set_keys(in, state.kv.data(), state.capacity(), state.kept, state.first_position());
      } else {  // the mask's room is smaller than this piece and what it sees
        const Index keys = state.kept + rows.T;
        S* const kv = frame.take<S>(rows.B * keys * kv_channels());
        concat_keys_values(ctx, state, rows, kv);
        set_keys(in, kv, keys, keys, state.first_position());
        state.keep_last(ctx, kv, keys, rows.T);
      }
    }
    kernel.forward(ctx, in, o.data, nullptr);
  }

  /// Writes d_rows, laid out as `rows`, those of forward.
  template <class Kernel = SoftmaxAttention<S>>
  void backward(const Context& ctx, Seq<S> rows, Seq<const S> d_o, Seq<S> d_rows, State& dstate, Tape& tape,
                const Kernel& kernel = {}) const {
    Frame frame(ctx.scratch());
    AttentionGradient<S> d{d_rows.data, keys_in(d_rows.data), values_in(d_rows.data)};
    S* d_kv = nullptr;
    if (tape.open) {
      const Index keys = tape.past + rows.T;
      d_kv = frame.take<S>(rows.B * keys * kv_channels());
      dstate.scatter_last(ctx, d_kv, keys);  // what the state left received, 0 elsewhere
      d.dk = d_kv;
      d.dv = d_kv + shape.key_channels();
    } else {
      clear_keys_values(ctx, d_rows);
    }
    kernel.backward(ctx, input_of(rows, tape), tape.out.data(), tape.log_sums.data(), d_o.data, d);
    if (tape.open) dstate.split(ctx, d_kv, tape.past, d_rows);
  }

  /// A pair costs Dk + Dv multiply-adds in each head.
  Flops flops(Shape in) const {
    const double pairs = static_cast<double>(in.B) * shape.mask.pairs(in.T);
    return {.mixing = 2 * pairs * static_cast<double>(shape.heads * (shape.key_width + shape.value_width))};
  }
  /// Without an open state.
  double scratch(Shape in, Pass pass, int threads) const {
    return attention_scratch<S>(shape, in.B, in.T, in.T, pass == Pass::backward, threads);
  }

 private:
  // A row: Q = H*Dk numbers of queries, K = Hkv*Dk of keys, V = Hkv*Dv of values.
  Index kv_channels() const { return shape.key_channels() + shape.value_channels(); }
  S* keys_in(S* row) const { return row + shape.query_channels(); }
  S* values_in(S* row) const { return row + qk_channels(); }

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
  void clear_keys_values(const Context& ctx, Seq<S> d_rows) const {
    const Index n = kv_channels();
    ctx.parallel_rows(d_rows.row_count(), n, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) row_map(keys_in(d_rows.row(i)), n).setConstant(S(0));
    });
  }
};

}  // namespace megalith

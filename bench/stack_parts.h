// SPDX-License-Identifier: Apache-2.0
// The calls of a stack of transformer blocks in a training step, on the shapes that it has there.
#pragma once

#include "megalith/models/decoders.h"
#include "parts.h"

namespace megalith::bench {

inline double count(Index n) { return static_cast<double>(n); }

/// The products of a linear layer over rows: forward, and the gradients of its input and of its weight.
inline void add_linear(Roofline& r, const Linear<float>& m, Index rows, double calls) {
  Activations x(1, rows, m.in_channels()), y(1, rows, m.out_channels()), dx(1, rows, m.in_channels());
  Linear<float> grad = m;
  NoState none;
  NoTape no_tape;
  const double in = count(x.numbers.size()), out = count(y.numbers.size()), weight = count(m.weight.size());
  const double flops = m.flops({1, rows});
  r.add(
      "products", calls, {flops, in + weight + out}, [&] { m.apply(r.ctx(), x, y); }, Arithmetic::products);
  r.add(
      "products", calls, {2 * flops, (out + weight + in) + (in + out + 2 * weight)},
      [&] { m.backward(r.ctx(), x, y, dx, grad, none, no_tape); }, Arithmetic::products);
}

inline void add_norm(Roofline& r, const Norm<float>& m, Shape in, double forwards, double backwards) {
  Activations x(in.B, in.T, m.in_channels()), y(in.B, in.T, m.in_channels()), dx(in.B, in.T, m.in_channels());
  Norm<float> grad = m;
  Norm<float>::Tape tape(m, in);
  NoState none;
  const double n = count(x.numbers.size());
  const bool layer = m.kind == NormKind::layer;
  r.add("norms", forwards, {(layer ? 8 : 4) * n, 2 * n}, [&] { m.forward(r.ctx(), x, y, none, tape); });
  r.add("norms", backwards, {(layer ? 15 : 9) * n, 3 * n}, [&] { m.backward(r.ctx(), x, y, dx, grad, none, tape); });
}

/// Attention proper, without its projections: softmax(Q K^T) V of all heads, rotary positions, norms of queries and keys.
inline void add_attention(Roofline& r, const Attention<float>& m, Shape in, double calls) {
  const AttentionShape& shape = m.shape;
  const Index rows = in.rows(), Q = shape.query_channels(), K = shape.key_channels(), V = shape.value_channels();
  Activations qkv(in.B, in.T, Q + K + V), d_qkv(in.B, in.T, Q + K + V);
  Activations out(in.B, in.T, shape.out_channels()), d_out(in.B, in.T, shape.out_channels());
  std::vector<float> log_sums(static_cast<std::size_t>(rows * shape.heads));
  const AttentionInput<float> input{.shape = shape,
                                    .B = in.B,
                                    .Tq = in.T,
                                    .Tk = in.T,
                                    .q = qkv.data(),
                                    .k = qkv.data() + Q,
                                    .v = qkv.data() + Q + K,
                                    .q_stride = Q + K + V,
                                    .k_stride = Q + K + V,
                                    .v_stride = Q + K + V,
                                    .kv_rows = in.T};
  const double n = count(qkv.numbers.size()), n_out = count(out.numbers.size()), sums = count(rows * shape.heads);
  const double flops = 2 * count(in.B) * shape.mask.pairs(in.T) * count(shape.heads * (shape.key_width + shape.value_width));
  r.add("attention", calls, {flops, n + n_out + sums},
        [&] { attention_forward(r.ctx(), input, out.data(), log_sums.data()); });
  r.add("attention", calls, {2 * flops, 3 * n + 3 * n_out + sums}, [&] {
    r.ctx().parallel_rows(rows, K + V, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) row_map(d_qkv.seq().row(i) + Q, K + V).setConstant(0);
    });
    attention_backward(r.ctx(), input, out.data(), log_sums.data(), d_out.data(),
                       AttentionGradient<float>{d_qkv.data(), d_qkv.data() + Q, d_qkv.data() + Q + K});
  });
  const double n_qk = count(rows * (Q + K));
  if (m.rotary_base > 0) {
    r.add("positions", calls, {6 * n_qk, 4 * n_qk}, [&] {
      for (const Turn turn : {Turn::forward, Turn::back})
        rotate(r.ctx(), d_qkv.seq(), 0, shape.heads + shape.kv_heads, shape.key_width, 0, m.rotary_base, turn);
    });
  }
  if (m.qk_norm()) {
    Tensor<float> d_gain = m.q_gain;
    r.add("norms", calls, {(4 + 9) * n_qk, (2 + 3) * n_qk}, [&] {
      for (const auto& [first, heads] : {std::pair(Index(0), shape.heads), std::pair(Q, shape.kv_heads)}) {
        head_norm_forward(r.ctx(), d_qkv.seq(), first, heads, m.q_gain);
        head_norm_backward<float>(r.ctx(), qkv, first, heads, m.q_gain, d_qkv.seq(), d_gain);
      }
    });
  }
}

/// The activation between the two products of a feed-forward layer, on a tile of its rows.
inline void add_activation(Roofline& r, Activation kind, Index rows, Index F, double calls) {
  const Index up = is_gated(kind) ? 2 * F : F;
  Activations hidden(1, rows, up), active(1, rows, F), d_active(1, rows, F), d_hidden(1, rows, up);
  const double n = count(rows * F), wide = count(rows * up);
  with_activation(kind, [&]<class A>(A) {
    const auto over_rows = [&](auto&& f) {
      r.ctx().parallel_rows(rows, F, [&](Index begin, Index end, Arena&) {
        for (Index i = begin; i < end; ++i) f(i);
      });
    };
    const auto forward = [&](Index i) {
      activation_forward<A, float>(hidden.seq().row(i), row_map(active.seq().row(i), F));
    };
    r.add("activations", calls, {A::kForwardFlops * n, wide + n}, [&] { over_rows(forward); });
    r.add("activations", calls, {(A::kForwardFlops + A::kBackwardFlops) * n, 2 * wide + 2 * n}, [&] {
      over_rows([&](Index i) {
        forward(i);
        activation_backward<A, float>(hidden.seq().row(i), row_map(std::as_const(d_active.numbers).row(i), F),
                                      d_hidden.seq().row(i));
      });
    });
  });
}

/// x + branch, and the same of gradients.
inline void add_residual(Roofline& r, Index numbers, double calls) {
  Activations x(1, 1, numbers), y(1, 1, numbers);
  r.add("residuals", 2 * calls, {count(numbers), 3 * count(numbers)}, [&] {
    r.ctx().parallel_ranges(numbers, 16 * 1024, [&](Index begin, Index end, Arena&) {
      row_map(y.data() + begin, end - begin) += row_map(x.data() + begin, end - begin);
    });
  });
}

/// A stack that is run `calls` times in a step on inputs of shape `in`.
inline void add_stack(Roofline& r, const Stack<TransformerBlock<float>>& m, Shape in, double calls) {
  constexpr Index kFeedForwardRows = 1024;  // the tile of nn/feed_forward.h
  const TransformerBlock<float>& block = m.blocks.front();
  const Attention<float>& attention = block.attention.branch;
  const FeedForward<float>& feed_forward = block.feed_forward.branch;
  const double blocks = calls * count(std::ssize(m.blocks));
  const Index tile = std::min(kFeedForwardRows, in.rows());
  const double tiles = blocks * count(in.rows()) / count(tile);
  add_linear(r, attention.qkv, in.rows(), blocks);
  add_linear(r, attention.out, in.rows(), blocks);
  add_linear(r, feed_forward.up, tile, tiles);
  add_linear(r, feed_forward.down, tile, tiles);
  add_attention(r, attention, in, blocks);
  add_norm(r, m.norm, in, 4 * blocks + calls, 2 * blocks + calls);  // a block's are computed again in backward
  add_activation(r, feed_forward.activation, tile, feed_forward.down.in_channels(), tiles);
  add_residual(r, in.rows() * m.in_channels(), 2 * blocks);
}

}  // namespace megalith::bench

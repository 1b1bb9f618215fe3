// SPDX-License-Identifier: Apache-2.0
// The calls of a transformer block in a training step, piece by piece.
#pragma once

#include "megalith/nn/transformer_block.h"
#include "module_parts.h"

namespace megalith::bench {

inline void add_norm(Roofline& r, const Norm<float>& m, Shape in, Calls calls) {
  const bool layer = m.kind == NormKind::layer;
  add_module(r, "norms", m, in, calls, {layer ? 8.0 : 4.0, layer ? 15.0 : 9.0});
}

/// Attention proper, without its projections: softmax(Q K^T) V of all heads, rotary positions, norms of queries and keys.
inline void add_attention(Roofline& r, const Attention<float>& m, Shape in, double calls) {
  const AttentionShape& shape = m.core.shape;
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
  const double flops = m.flops(in).mixing;
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

/// The activation between the two products of a feed-forward layer, on a tile of its rows; backward computes it again.
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

/// A block that is run `calls` times in a step, forward and backward.
inline void add_transformer_block(Roofline& r, const TransformerBlock<float>& m, Shape in, double calls) {
  constexpr Index kFeedForwardRows = 1024;  // the tile of nn/feed_forward.h
  const Attention<float>& attention = m.attention.branch;
  const FeedForward<float>& feed_forward = m.feed_forward.branch;
  const Index tile = std::min(kFeedForwardRows, in.rows());
  const double tiles = calls * count(in.rows()) / count(tile);
  add_module(r, "products", attention.qkv, {1, in.rows()}, calls);
  add_module(r, "products", attention.out, {1, in.rows()}, calls);
  add_module(r, "products", feed_forward.up, {1, tile}, tiles);
  add_module(r, "products", feed_forward.down, {1, tile}, tiles);
  add_attention(r, attention, in, calls);
  for (const Norm<float>* norm : {&m.attention.norm, &m.feed_forward.norm})
    add_norm(r, *norm, in, {2 * calls, calls});  // its output is computed again in backward
  add_activation(r, feed_forward.activation, tile, feed_forward.down.in_channels(), tiles);
  add_residual(r, in.rows() * m.in_channels(), 2 * calls);
}

}  // namespace megalith::bench

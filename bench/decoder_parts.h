// SPDX-License-Identifier: Apache-2.0
// The calls of a decoder in a training step: its inputs, its stack, and its head or the decoder inside it.
#pragma once

#include "megalith/models/decoder_input.h"
#include "stack_parts.h"

namespace megalith::bench {

/// Embeddings of the bytes before, learned positions and the condition, with their gradients.
inline void add_input(Roofline& r, const Tensor<float>& table, const Tensor<float>& pad, const Tensor<float>& positions,
                      bool has_condition, Shape in, double calls) {
  const Index C = table.cols(), unit = pad.size() / C;
  Activations x(in.B, in.T, C), condition(in.B, in.T, C);
  Tensor<float> d_table = table, d_pad = pad, d_positions = positions;
  std::vector<ByteOrNone> ids;
  for (const std::uint8_t byte : random_bytes(in.rows()))
    ids.push_back(std::ssize(ids) % in.T < unit ? kNoByte : ByteOrNone(byte));
  const double n = count(in.rows() * C), used = count(positions.empty() ? 0 : in.T * C);
  const Seq<const float> cond = has_condition ? condition : Seq<const float>{};
  const Seq<float> d_cond = has_condition ? condition.seq() : Seq<float>{};
  r.add("inputs", calls,
        {(has_condition ? n : 0) + (used > 0 ? n : 0), 2 * n + (used > 0 ? 3 * n : 0) + (has_condition ? 3 * n : 0)}, [&] {
          embed(r.ctx(), table, ids.data(), in.rows(), x.data());
          fill_pads(r.ctx(), ids.data(), x.seq(), pad);
          if (!positions.empty()) add_positions(r.ctx(), x.seq(), positions, 0, nullptr);
          add_condition(r.ctx(), x.seq(), cond, 0);
        });
  r.add("inputs", calls,
        {n + (used > 0 ? n : 0), n + 2 * count(table.size()) + (used > 0 ? n + 2 * used : 0) + (has_condition ? 2 * n : 0)},
        [&] {
          add_condition_backward<float>(r.ctx(), x, d_cond);
          if (!positions.empty()) add_positions_backward<float>(r.ctx(), x, d_positions, 0, nullptr);
          fill_pads_backward<float>(r.ctx(), ids.data(), x, d_pad);
          embed_backward(r.ctx(), ids.data(), in.rows(), x.data(), d_table);
        });
}

/// Logits, softmax cross-entropy and their gradients.
inline void add_head(Roofline& r, const SoftmaxHead<float>& m, const Tensor<float>& table, Index rows, double calls) {
  const Index C = table.cols();
  Activations x(1, rows, C), dx(1, rows, C);
  SoftmaxHead<float> grad = m;
  Tensor<float> d_table = table;
  const std::vector<std::uint8_t> bytes = random_bytes(rows);
  std::vector<float> losses(bytes.size());
  const double n = count(rows * C), logits = count(rows * kByteValues), weight = count(table.size());
  const Work work{3 * m.flops(rows, C) + 6 * logits,
                  (n + weight + logits) + 2 * logits + (logits + weight + n) + (logits + n + 2 * weight)};
  r.add(
      "head", calls, work, [&] { m.train(r.ctx(), x, table, bytes.data(), 1e-3f, losses.data(), dx, grad, d_table); },
      Arithmetic::products);
}

/// A decoder over windows `bytes` that is run `calls` times in a step.
inline void add_decoder(Roofline& r, const Vanilla<float>& m, Shape bytes, double calls) {
  add_input(r, m.table, m.pad, m.positions, r.scale > 0, bytes, calls);
  add_stack(r, m.stack, bytes, calls);
  add_head(r, m.head, m.table, bytes.rows(), calls);
}

/// The inner decoder in the tiles that it is run in.
template <class Inner>
void add_decoder(Roofline& r, const Patched<TransformerBlock<float>, Inner>& m, Shape bytes, double calls) {
  const Shape patches{bytes.B, bytes.T / m.unit()};
  add_input(r, m.table, m.pad, m.positions, r.scale > 0, bytes, calls);
  if (m.has_embedder()) add_linear(r, m.embed_patch, patches.rows(), calls);
  add_stack(r, m.stack, patches, calls);
  const Index tile = m.tile_patches(bytes);
  const double tiles = calls * count(patches.rows()) / count(tile);
  if (m.has_embedder()) add_linear(r, m.unembed_patch, tile, tiles);
  add_linear(r, m.condition, tile * m.rows_per_patch(), tiles);
  ++r.scale;
  add_decoder(r, m.inner, {tile, m.unit()}, tiles);
}

}  // namespace megalith::bench

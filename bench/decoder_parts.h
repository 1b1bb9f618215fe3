// SPDX-License-Identifier: Apache-2.0
// The calls of a decoder in a training step: its inputs, its stack, and its head or the decoder inside it.
#pragma once

#include "decoder_types.h"
#include "transformer_parts.h"

namespace megalith::bench {

/// What the stack reads of (B,T) bytes: embeddings of the bytes before, positions, their projection, and the condition, each
/// with its gradient.
inline void add_input(Roofline& r, const PatchEmbedder<float>& m, bool has_condition, Shape bytes, double calls) {
  Activations condition(bytes.B, bytes.T / m.patch, m.width());
  PatchEmbedder<float> grad = m;
  std::vector<ByteOrNone> ids;
  for (const std::uint8_t byte : random_bytes(bytes.rows()))
    ids.push_back(std::ssize(ids) % bytes.T < m.patch ? kNoByte : ByteOrNone(byte));
  Frame frame(r.ctx().scratch());
  const Seq<float> spare = frame.seq<float>(bytes.B, bytes.T / m.patch, m.width());
  PatchEmbedder<float>::State state(m, bytes.B), dstate = state;
  PatchEmbedder<float>::Tape tape(m, bytes);
  const auto out = m.forward(r.ctx(), ids.data(), bytes, 0, state, tape, frame), d = m.gradient_of(out, spare, frame);
  std::copy_n(condition.data(), condition.numbers.size(), d.x.data);

  const double h = count(out.h.size()), x = count(out.x.size());  // embeddings, and what is made of them
  const double positions = m.positions.empty() ? 0 : h, conditions = has_condition ? x : 0;
  const double used = m.positions.empty() ? 0 : count(bytes.T * m.table.cols());
  const Flops flops = m.flops({bytes.B, bytes.T / m.patch});
  const double weights = count(m.project.weight.size()) + (m.convolves() ? count(parameter_count(m.convolution)) : 0);
  const double moved = (m.projects() ? h + x : 0) + (m.convolves() ? 6 * h : 0);  // read and written by each layer
  const Arithmetic arithmetic = m.projects() || m.convolves() ? Arithmetic::products : Arithmetic::fp32;
  r.add(
      "inputs", calls, {flops.products + positions + conditions, 2 * h + 3 * positions + moved + weights + 3 * conditions},
      [&] {
        Frame inner(r.ctx().scratch());
        const auto in = m.forward(r.ctx(), ids.data(), bytes, 0, state, tape, inner);
        if (has_condition) add_condition<float>(r.ctx(), in.x, condition, 0, 0);
      },
      arithmetic);
  r.add(
      "inputs", calls,
      {2 * flops.products + h + positions,
       h + 2 * count(m.table.size()) + positions + 2 * used + 2 * moved + 3 * weights + 2 * conditions},
      [&] {
        if (has_condition) add_condition_backward<float>(r.ctx(), d.x, condition.seq());
        m.backward(r.ctx(), ids.data(), out, d, grad, dstate, tape);
      },
      arithmetic);
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

/// A stack that is run `calls` times in a step. Blocks that are alike are measured once; a transformer's are told apart by
/// piece, those of other kinds are a part each.
inline void add_stack(Roofline& r, const Stack<AnyModule<float>>& m, Shape in, double calls) {
  const auto alike = [&](const AnyModule<float>& a, const AnyModule<float>& b) {
    return a.flops(in) == b.flops(in) && parameter_count(a) == parameter_count(b);
  };
  const Index out_rows = m.chunks().out_rows(in.T);  // of the first block, where the ends of windows alone are predicted
  for (auto block = m.blocks.begin(), end = block; block != m.blocks.end(); block = end) {
    end = std::find_if(block, m.blocks.end(), [&](const auto& b) { return !alike(*block, b); });
    const double blocks = calls * count(end - block);
    if (const auto* const transformer = block->get_if<TransformerBlock<float>>())
      add_transformer_block(r, *transformer, in, blocks);
    else add_module(r, "blocks", *block, in, blocks, {}, out_rows);
    in.T = out_rows;
  }
  if (const auto* const norm = m.norm.get_if<Norm<float>>()) add_norm(r, *norm, in, calls);
  else add_module(r, "norms", m.norm, in, calls);
}

/// A decoder over windows `bytes` that is run `calls` times in a step.
inline void add_decoder(Roofline& r, const OneScale<float>& m, Shape bytes, double calls) {
  add_input(r, m.embedder, r.scale > 0, bytes, calls);
  add_stack(r, m.stack, bytes, calls);
  add_head(r, m.head, m.embedder.table, bytes.B * m.predicted(bytes.T), calls);
}

/// The inner decoder in the tiles that it is run in.
template <class Inner>
void add_decoder(Roofline& r, const Patched<AnyModule<float>, Inner>& m, Shape bytes, double calls) {
  const Shape patches{bytes.B, bytes.T / m.patch_size()};
  add_input(r, m.embedder, r.scale > 0, bytes, calls);
  add_stack(r, m.stack, patches, calls);
  const Shape tile = m.inner_sequences(bytes).tile();
  const Index in_tile = tile.rows() / m.patch_size();
  const double tiles = calls * count(patches.rows()) / count(in_tile);
  if (m.condition.projects()) add_module(r, "products", m.condition.unembed, {1, in_tile}, tiles);
  add_module(r, "products", m.condition.w_gl, {1, in_tile * m.condition.rows_per_patch}, tiles);
  ++r.scale;
  add_decoder(r, m.inner, tile, tiles);
}

}  // namespace megalith::bench

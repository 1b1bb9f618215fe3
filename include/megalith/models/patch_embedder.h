// SPDX-License-Identifier: Apache-2.0
// The patch embedder (Yu et al. 2023, 2.2.1): what a decoder's stack reads.
#pragma once

#include "megalith/models/decoder_input.h"
#include "megalith/nn/linear.h"

namespace megalith {

/// What a learned position belongs to: the byte that is read, as in eq. (1), so that a pad has none; or the row that reads
/// it.
enum class PositionOf { byte, row };

/// h_t = table[x_t] + positions[t] for each byte (eq. 1), P of them side by side for each patch, the trained pad for the
/// patch before the first (eq. 2); projected where P * E is not the width of the stack. With P = 1 it embeds bytes.
template <class S>
struct PatchEmbedder {
  using Scalar = S;

  Index patch = 1;                            // P
  PositionOf position_of = PositionOf::byte;  // what `positions` are indexed by
  Tensor<S> table;                            // (V, E)
  Tensor<S> pad;                              // (P*E)
  Tensor<S> positions;                        // (bytes of a window, E), or empty
  Linear<S> project;                          // (P*E, C), or empty: P*E is C

  PatchEmbedder() = default;
  /// Of one scale of a config.
  PatchEmbedder(const ModelConfig& c, std::size_t scale, PositionOf of)
      : patch(c.scales[scale].patch), position_of(of), table({kByteValues, embedding_width(c.scales[scale])}) {
    const StackConfig& stack = c.scales[scale].stack;
    pad = Tensor<S>({patch * table.cols()});
    if (stack.positions == PositionKind::learned) positions = Tensor<S>({window_bytes(c, scale), table.cols()});
    if (has_patch_projection(c.scales[scale])) project = Linear<S>(pad.size(), stack.width, stack.bias);
  }

  bool projects() const { return !project.weight.empty(); }
  Index width() const { return projects() ? project.out_channels() : pad.size(); }

  /// What the stack reads, and the embeddings that it is made of; the same for their gradients.
  struct Output {
    Index first = 0;  // position of the first byte
    Seq<S> h, x;      // (B,T,E); (B,T/P,C), which is the memory of h where nothing is projected
  };

  /// ids (B,T) are the bytes that are read, from position `first` - P of the sequence on, kNoByte standing for the pad's.
  Output forward(const Context& ctx, const ByteOrNone* ids, Shape bytes, Index first, Frame& frame) const {
    const Index K = bytes.T / patch;
    Output out{first, frame.seq<S>(bytes.B, bytes.T, table.cols()), {}};
    out.x = projects() ? frame.seq<S>(bytes.B, K, width()) : out.h.viewed_as(bytes.B, K, width());
    embed(ctx, table, ids, out.h.row_count(), out.h.data);
    fill_pads(ctx, ids, out.h, pad);
    if (!positions.empty()) add_positions(ctx, out.h, positions, first_position(out), with_position(ids));
    if (projects()) project.apply(ctx, patches(out.h, out.x), out.x);
    return out;
  }
  /// d.x is given and d.h is written. forward was: x = project(h), h = table[ids] + positions.
  void backward(const Context& ctx, const ByteOrNone* ids, const Output& out, const Output& d, PatchEmbedder& grad) const {
    if (projects()) {
      NoState none;
      NoTape no_tape;
      project.backward(ctx, patches(out.h, out.x), d.x, patches(d.h, d.x), grad.project, none, no_tape);
    }
    if (!positions.empty()) add_positions_backward<S>(ctx, d.h, grad.positions, first_position(out), with_position(ids));
    fill_pads_backward<S>(ctx, ids, d.h, grad.pad);
    embed_backward(ctx, ids, d.h.row_count(), d.h.data, grad.table);
  }
  /// Room for the gradient of `out`, of which x takes the memory `spare` of the same size.
  Output gradient_of(const Output& out, Seq<S> spare, Frame& frame) const {
    if (!projects()) return {out.first, spare.viewed_as(out.h.B, out.h.T, out.h.C), spare};
    return {out.first, frame.seq<S>(out.h.B, out.h.T, out.h.C), spare};
  }

  Flops flops(Shape patches) const { return projects() ? project.flops(patches) : Flops{}; }
  /// Numbers of an Output for (B,T) bytes.
  double numbers(Shape bytes) const {
    const double rows = static_cast<double>(bytes.rows()) / static_cast<double>(patch);
    return rows * static_cast<double>(pad.size() + (projects() ? width() : 0));
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "table", Role::table}, m.table...);
    f(Name{&at, "pad", Role::table}, m.pad...);
    if ((!m.positions.empty() || ...)) f(Name{&at, "positions", Role::table}, m.positions...);
    if ((m.projects() || ...)) Linear<S>::visit(Name{&at, "embed"}, f, m.project...);
  }

 private:
  Index first_position(const Output& out) const { return position_of == PositionOf::row ? out.first : out.first - patch; }
  const ByteOrNone* with_position(const ByteOrNone* ids) const { return position_of == PositionOf::row ? nullptr : ids; }
  Seq<S> patches(Seq<S> h, Seq<S> x) const { return h.viewed_as(x.B, x.T, pad.size()); }
};

}  // namespace megalith

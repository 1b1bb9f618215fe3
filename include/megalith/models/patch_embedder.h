// SPDX-License-Identifier: Apache-2.0
// The patch embedder (Yu et al. 2023, 2.2.1): what a decoder's stack reads.
#pragma once

#include "megalith/models/decoder_input.h"
#include "megalith/models/patch_convolution.h"
#include "megalith/nn/linear.h"

namespace megalith {

/// What a learned position belongs to: the byte that is read, as in eq. (1), so that a pad has none; or the row that reads
/// it.
enum class PositionOf { byte, row };

/// h_t = table[x_t] + positions[t] for each byte (eq. 1), P of them side by side for each patch, the trained pad for the
/// patch before the first (eq. 2); projected where P * E is not the width of the stack. With P = 1 it embeds bytes. Before
/// they are put side by side, the rows may be convolved (2.3.1): those of the pad too, which stand before byte 0 as in the
/// paper's appendix B, and zeros before them.
template <class S>
struct PatchEmbedder {
  using Scalar = S;
  /// Of the convolution, where there is one.
  struct State : PatchConvolution<S>::State {
    State() = default;
    State(const PatchEmbedder& m, Index B, Index room = 0) : PatchConvolution<S>::State(m.convolution, B, room) {}
  };
  struct Tape : PatchConvolution<S>::Tape {
    Tape() = default;
    Tape(const PatchEmbedder& m, Shape bytes) : PatchConvolution<S>::Tape(m.convolution, bytes) {}
  };

  Index patch = 1;                            // P
  PositionOf position_of = PositionOf::byte;  // what `positions` are indexed by
  Tensor<S> table;                            // (V, E)
  Tensor<S> pad;                              // (P*E)
  Tensor<S> positions;                        // (bytes of a window, E), or empty
  PatchConvolution<S> convolution;            // of E channels, or empty
  Linear<S> project;                          // (P*E, C), or empty: P*E is C

  PatchEmbedder() = default;
  /// Of one scale of a config.
  PatchEmbedder(const ModelConfig& c, std::size_t scale, PositionOf of)
      : patch(c.scales[scale].patch), position_of(of), table({kByteValues, embedding_width(c.scales[scale])}) {
    const StackConfig& stack = c.scales[scale].stack;
    pad = Tensor<S>({patch * table.cols()});
    if (stack.positions == PositionKind::learned) positions = Tensor<S>({window_bytes(c, scale), table.cols()});
    if (c.scales[scale].convolution) convolution = PatchConvolution<S>(table.cols(), stack.bias);
    if (has_patch_projection(c.scales[scale])) project = Linear<S>(pad.size(), stack.width, stack.bias);
  }

  bool projects() const { return !project.weight.empty(); }
  bool convolves() const { return !convolution.empty(); }
  /// How many bytes back an embedding depends on.
  Index reach() const { return convolves() ? PatchConvolution<S>::kReach : 0; }
  Index width() const { return projects() ? project.out_channels() : pad.size(); }

  /// What the stack reads, and the embeddings that it is made of; the same for their gradients.
  struct Output {
    Index first = 0;  // position of the first byte
    Seq<S> e, h, x;   // (B,T,E): of the bytes; convolved. (B,T/P,C). Where nothing is done, h is the memory of e, x of h
  };

  /// ids (B,T) are the bytes that are read, from position `first` - P of the sequence on, kNoByte standing for the pad's.
  Output forward(const Context& ctx, const ByteOrNone* ids, Shape bytes, Index first, State& state, Tape& tape,
                 Frame& frame) const {
    const Output out = embed_bytes(ctx, ids, bytes, first, frame);
    if (convolves()) convolution.forward(ctx, out.e, out.h, state, tape);
    if (projects()) project.apply(ctx, patches(out.h, out.x), out.x);
    return out;
  }
  /// The same without a tape.
  Output step(const Context& ctx, const ByteOrNone* ids, Shape bytes, Index first, State& state, Frame& frame) const {
    const Output out = embed_bytes(ctx, ids, bytes, first, frame);
    if (convolves()) convolution.step(ctx, out.e, out.h, state);
    if (projects()) project.apply(ctx, patches(out.h, out.x), out.x);
    return out;
  }
  /// d.x is given; d.h and d.e are written. forward was: x = project(h), h = convolution(e), e = table[ids] + positions.
  void backward(const Context& ctx, const ByteOrNone* ids, const Output& out, const Output& d, PatchEmbedder& grad,
                State& dstate, Tape& tape) const {
    if (projects()) {
      NoState none;
      NoTape no_tape;
      project.backward(ctx, patches(out.h, out.x), d.x, patches(d.h, d.x), grad.project, none, no_tape);
    }
    if (convolves()) convolution.backward(ctx, out.e, d.h, d.e, grad.convolution, dstate, tape);
    if (!positions.empty()) add_positions_backward<S>(ctx, d.e, grad.positions, first_position(out), with_position(ids));
    fill_pads_backward<S>(ctx, ids, d.e, grad.pad);
    embed_backward(ctx, ids, d.e.row_count(), d.e.data, grad.table);
  }
  /// Room for the gradient of `out`, of which x takes the memory `spare` of the same size.
  Output gradient_of(const Output& out, Seq<S> spare, Frame& frame) const {
    Output d{out.first, {}, {}, spare};
    d.h = projects() ? frame.seq<S>(out.h.B, out.h.T, out.h.C) : spare.viewed_as(out.h.B, out.h.T, out.h.C);
    d.e = convolves() ? frame.seq<S>(out.h.B, out.h.T, out.h.C) : d.h;
    return d;
  }

  Flops flops(Shape patches) const {
    const Flops convolved = convolves() ? convolution.flops({patches.B, patches.T * patch}) : Flops{};
    return convolved + (projects() ? project.flops(patches) : Flops{});
  }
  /// Numbers of an Output for (B,T) bytes, and of its gradient beside the spare memory.
  double numbers(Shape bytes) const { return gradient_numbers(bytes) + rows(bytes) * static_cast<double>(width()); }
  double gradient_numbers(Shape bytes) const {
    const int more = (projects() ? 1 : 0) + (convolves() ? 1 : 0);
    return more * rows(bytes) * static_cast<double>(pad.size());
  }
  /// Numbers of scratch that a call takes beside an Output.
  double scratch(Shape bytes, Pass pass, int threads) const {
    return convolves() ? convolution.scratch(bytes, pass, threads) : 0;
  }

  template <class F, class... M>
  static void visit(const Name& at, F&& f, M&... m) {
    f(Name{&at, "table", Role::table}, m.table...);
    f(Name{&at, "pad", Role::table}, m.pad...);
    if ((!m.positions.empty() || ...)) f(Name{&at, "positions", Role::table}, m.positions...);
    if ((m.convolves() || ...)) PatchConvolution<S>::visit(Name{&at, "convolution"}, f, m.convolution...);
    if ((m.projects() || ...)) Linear<S>::visit(Name{&at, "embed"}, f, m.project...);
  }

 private:
  double rows(Shape bytes) const { return static_cast<double>(bytes.rows()) / static_cast<double>(patch); }
  /// Embeddings, and room for what is made of them.
  Output embed_bytes(const Context& ctx, const ByteOrNone* ids, Shape bytes, Index first, Frame& frame) const {
    const Index B = bytes.B, K = bytes.T / patch;
    Output out{first, frame.seq<S>(B, bytes.T, table.cols()), {}, {}};
    out.h = convolves() ? frame.seq<S>(B, bytes.T, table.cols()) : out.e;
    out.x = projects() ? frame.seq<S>(B, K, width()) : out.h.viewed_as(B, K, width());
    embed(ctx, table, ids, out.e.row_count(), out.e.data);
    fill_pads(ctx, ids, out.e, pad);
    if (!positions.empty()) add_positions(ctx, out.e, positions, first_position(out), with_position(ids));
    return out;
  }
  Index first_position(const Output& out) const { return position_of == PositionOf::row ? out.first : out.first - patch; }
  const ByteOrNone* with_position(const ByteOrNone* ids) const { return position_of == PositionOf::row ? nullptr : ids; }
  Seq<S> patches(Seq<S> h, Seq<S> x) const { return h.viewed_as(x.B, x.T, pad.size()); }
};

}  // namespace megalith

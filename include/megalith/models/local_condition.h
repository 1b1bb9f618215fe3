// SPDX-License-Identifier: Apache-2.0
// What the stack over patches tells the decoder inside a patch (Yu et al. 2023, eq. 4).
#pragma once

#include "megalith/models/config.h"
#include "megalith/nn/linear.h"

namespace megalith {

/// A row y of the stack's output is read as P/u rows of u * E numbers, u being the bytes of an inner position, and each of
/// them is projected by one shared matrix w_gl to the width of the inner decoder. Where P * E is not the stack's width, y is
/// projected to that many numbers first.
template <class S>
struct LocalCondition {
  Index rows_per_patch = 1;  // P/u
  Linear<S> unembed;         // (C, P*E), or empty: P*E is C
  Linear<S> w_gl;            // (u*E, inner width)

  LocalCondition() = default;
  LocalCondition(const ModelConfig& c, std::size_t scale) {
    const ScaleConfig &outer = c.scales[scale], &inner = c.scales[scale + 1];
    const Index E = embedding_width(outer);
    rows_per_patch = outer.patch / inner.patch;
    if (has_patch_projection(outer)) unembed = Linear<S>(outer.stack.width, outer.patch * E, outer.stack.bias);
    w_gl = Linear<S>(inner.patch * E, inner.stack.width, false);
  }

  bool projects() const { return !unembed.weight.empty(); }
  Index inner_width() const { return w_gl.out_channels(); }
  /// Room for the conditions of `patches` patches.
  Seq<S> make(Index patches, Frame& frame) const { return frame.seq<S>(patches, rows_per_patch, inner_width()); }

  /// condition (n, P/u, inner width) from y (1, n, C); the result is what backward needs.
  Seq<const S> forward(const Context& ctx, Seq<const S> y, Seq<S> condition, Frame& frame) const {
    Seq<const S> slots = y.viewed_as(1, y.T, y.C);
    if (projects()) {
      const Seq<S> wide = frame.seq<S>(1, y.T, unembed.out_channels());
      unembed.apply(ctx, y, wide);
      slots = wide;
    }
    slots = slots.viewed_as(1, y.T * rows_per_patch, w_gl.in_channels());
    w_gl.apply(ctx, slots, condition);
    return slots;
  }
  /// dy (1, n, C) is written. forward was: condition = slots w_gl, slots = unembed(y) or y.
  void backward(const Context& ctx, Seq<const S> y, Seq<const S> slots, Seq<const S> dcondition, Seq<S> dy,
                LocalCondition& grad) const {
    NoState none;
    NoTape no_tape;
    if (!projects())
      return w_gl.backward(ctx, slots, dcondition, dy.viewed_as(slots.B, slots.T, slots.C), grad.w_gl, none, no_tape);
    Frame frame(ctx.scratch());
    const Seq<S> dslots = frame.seq<S>(slots.B, slots.T, slots.C);
    w_gl.backward(ctx, slots, dcondition, dslots, grad.w_gl, none, no_tape);
    unembed.backward(ctx, y, dslots.viewed_as(1, y.T, unembed.out_channels()), dy, grad.unembed, none, no_tape);
  }

  /// Of n patches.
  Flops projection_flops(Index n) const { return projects() ? unembed.flops({1, n}) : Flops{}; }
  Flops flops(Index n) const { return w_gl.flops({n, rows_per_patch}); }
  /// Numbers of the conditions and slots of n patches.
  double numbers(Index n) const {
    const Index slots = projects() ? unembed.out_channels() : 0;
    return static_cast<double>(n) * static_cast<double>(rows_per_patch * inner_width() + slots);
  }

  // In two halves: the stack stands between them in the order of files.
  template <class F, class... M>
  static void visit_unembed(const Name& at, F&& f, M&... m) {
    if ((m.projects() || ...)) Linear<S>::visit(Name{&at, "unembed"}, f, m.unembed...);
  }
  template <class F, class... M>
  static void visit_w_gl(const Name& at, F&& f, M&... m) {
    Linear<S>::visit(Name{&at, "condition"}, f, m.w_gl...);
  }
};

}  // namespace megalith

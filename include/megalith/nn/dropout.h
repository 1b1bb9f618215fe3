// SPDX-License-Identifier: Apache-2.0
// Dropout (Srivastava et al. 2014), in the form that needs nothing at inference.
#pragma once

#include "megalith/nn/module.h"

namespace megalith {

/// In training y = x m / (1 - rate) with m = 0 at a share `rate` of the numbers and 1 elsewhere; otherwise y = x. The mask
/// is a function of the context's key, the sequence, the position in it and the channel, so it is drawn again in backward
/// instead of kept, and a run in chunks, tiles or micro-batches draws the same.
template <class S>
struct Dropout {
  using Scalar = S;
  using Tape = NoTape;
  using State = NoState;

  double rate = 0;
  Index channels = 0;

  Dropout() = default;
  Dropout(double r, Index c) : rate(r), channels(c) {}

  Index in_channels() const { return channels; }
  Index out_channels() const { return channels; }
  bool active(const Context& ctx) const { return rate > 0 && ctx.mode == Mode::train; }

  void forward(const Context& ctx, Seq<const S> x, Seq<S> y, State&, Tape&) const { apply(ctx, x, y); }
  void step(const Context& ctx, Seq<const S> x, Seq<S> y, State&) const { apply(ctx, x, y); }
  /// forward was: y = x m / (1 - rate), so dx = dy m / (1 - rate).
  void backward(const Context& ctx, Seq<const S>, Seq<const S> dy, Seq<S> dx, Dropout&, State&, Tape&) const {
    apply(ctx, dy, dx);
  }

  /// y = x m / (1 - rate). x may be y.
  void apply(const Context& ctx, Seq<const S> x, Seq<S> y) const {
    assert(x.C == y.C && x.row_count() == y.row_count());
    constexpr Index kWords = 4;
    const bool draw = active(ctx);
    const auto threshold = static_cast<std::uint64_t>(rate * 0x1.0p32);  // a word below it is dropped
    const S keep = S(1 / (1 - rate));
    ctx.parallel_rows(x.row_count(), x.C, [&](Index begin, Index end, Arena&) {
      for (Index i = begin; i < end; ++i) {
        const S* const in = x.row(i);
        S* const out = y.row(i);
        if (!draw) {
          row_map(out, y.C) = row_map(in, x.C);
          continue;
        }
        const auto [sequence, position] = ctx.row_number(i, x.T);
        const std::uint64_t of_sequence = static_cast<std::uint64_t>(sequence) << 32;
        for (Index c = 0; c < x.C; c += kWords) {
          const auto words =
              random_words(ctx.key, static_cast<std::uint64_t>(position), of_sequence + static_cast<std::uint64_t>(c));
          for (Index w = 0; w < std::min(kWords, x.C - c); ++w)
            out[c + w] = words[static_cast<std::size_t>(w)] < threshold ? S(0) : in[c + w] * keep;
        }
      }
    });
  }

  Flops flops(Shape) const { return {}; }
  double scratch(Shape, Pass, int) const { return 0; }
  void init(RandomKey, const Init&) {}
  template <class F, class... M>
  static void visit(const Name&, F&&, M&...) {}
};

}  // namespace megalith

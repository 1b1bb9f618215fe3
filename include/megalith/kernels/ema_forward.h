// SPDX-License-Identifier: Apache-2.0
// Moving averages: forward.
#pragma once

#include <utility>

#include "megalith/kernels/ema_call.h"

namespace megalith::detail {

template <class S, bool complex>
class EmaForward : EmaCall<S, complex> {
  using Call = EmaCall<S, complex>;
  using Call::kParts, Call::kSize, Call::N, Call::numbers, Call::x_, Call::ctx_;
  using typename Call::Row;

 public:
  /// `states` (B, parts * N, D) are received and left; null: 0 at first, and not kept. `kept` (B * ema_pieces(T), parts * N,
  /// D) gets the states before each piece; null: nobody needs them.
  EmaForward(const Context& ctx, const typename Call::Coefficients& c, Seq<const S> x, Seq<S> y, S* states, S* kept)
      : Call(ctx, c, x), y_(y), states_(states), kept_(kept) {}

  void run() const {
    const Index blocks = Call::blocks();
    ctx_.parallel_ranges(x_.B * blocks, Call::per_task(x_.T), [&](Index begin, Index end, Arena& arena) {
      [[maybe_unused]] const GemmScope<S> scope;
      for (Index i = begin; i < end; ++i) sequence(i / blocks, i % blocks, arena);
    });
  }
  static Index scratch(Index N) { return (kParts * N + 2 * kEmaRows) * kSize; }

 private:
  // States that are in registers at once: as many as keep the multiply-adds of a row from waiting for the row before.
  static constexpr Index kAtOnce = complex ? 2 : 4;

  void sequence(Index b, Index block, Arena& arena) const {
    Frame frame(arena);
    const Index first = block * kSize, lanes = Call::lanes(block), D = x_.C;
    S* const s = frame.take<S>(numbers() * kSize);
    S* const x = frame.take<S>(kEmaRows * kSize);
    S* const y = frame.take<S>(kEmaRows * kSize);
    if (states_ != nullptr) Call::gather(states_ + b * numbers() * D + first, D, numbers(), lanes, s);
    else std::fill_n(s, numbers() * kSize, S(0));
    const Row skip = Call::skip(block);
    for (Index t = 0; t < x_.T; t += kEmaRows) {
      const Index rows = std::min(kEmaRows, x_.T - t), piece = b * ema_pieces(x_.T) + t / kEmaRows;
      if (kept_ != nullptr) Call::scatter(s, D, numbers(), lanes, kept_ + piece * numbers() * D + first);
      Call::gather(x_.row(b * x_.T + t) + first, D, rows, lanes, x);
      for (Index i = 0; i < rows; ++i) (skip * Row::load(x + i * kSize)).store(y + i * kSize);
      Index n = 0;
      const auto go_on = [&]<class Which>(Which which, Index count) {
        for (; n + count <= N(); n += count) scan(which, Call::c_.row(block, n, 0), s + n * kParts * kSize, x, y, rows);
      };
      go_on(std::make_integer_sequence<Index, kAtOnce>(), kAtOnce);
      go_on(std::make_integer_sequence<Index, 1>(), 1);
      Call::scatter(y, D, rows, lanes, y_.row(b * y_.T + t) + first);
    }
    if (states_ != nullptr) Call::scatter(s, D, numbers(), lanes, states_ + b * numbers() * D + first);
  }

  /// s_t = q s_{t-1} + x_t and y_t += Re(k s_t), for the states n + j. They are named one by one, or they would not stay in
  /// registers.
  template <Index... j>
  void scan(std::integer_sequence<Index, j...>, const S* c, S* s, const S* x, S* y, Index rows) const {
    State states[]{State(s + j * kParts * kSize)...};
    for (Index i = 0; i < rows; ++i) {
      const Row xi = Row::load(x + i * kSize);
      Row yi = Row::load(y + i * kSize);
      (states[j].go_on(c + j * Call::kCoefficients * kSize, xi, yi), ...);
      yi.store(y + i * kSize);
    }
    (states[j].store(s + j * kParts * kSize), ...);
  }
  struct State {
    Row re, im;

    explicit State(const S* from)
        : re(Row::load(from)), im(complex ? Row::load(from + (kParts - 1) * kSize) : Row::zero()) {}
    void store(S* to) const {
      re.store(to);
      if constexpr (complex) im.store(to + kSize);
    }
    void go_on(const S* c, const Row& x, Row& y) {
      const auto of = [&](Index r) { return Row::load(c + r * kSize); };
      const Row old = re;
      re = multiply_add(of(Call::kQ), old, x);
      if constexpr (complex) {
        re = multiply_add(of(Call::kMinusQIm), im, re);
        im = multiply_add(of(Call::kQIm), old, of(Call::kQ) * im);
        y = multiply_add(of(Call::kMinusKIm), im, y);
      }
      y = multiply_add(of(Call::kK), re, y);
    }
  };

  const Seq<S> y_;
  S *const states_, *const kept_;
};

}  // namespace megalith::detail

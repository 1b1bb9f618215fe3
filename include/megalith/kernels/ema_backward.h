// SPDX-License-Identifier: Apache-2.0
// Moving averages: backward.
#pragma once

#include "megalith/kernels/ema_call.h"

namespace megalith::detail {

/// The states of a piece are computed again from the one before it, and then, from the last row to the first, with b_t the
/// gradient of s_t and conj() turning the sign of the imaginary part:
///
///   b_t = conj(k) dy_t + conj(q) b_{t+1}     dx_t = Re sum_n b_t + skip dy_t
///   dq += conj(s_{t-1}) b_t                  dk += conj(s_t) dy_t
///
/// Dividing the recurrence out instead would blow rounding up by 1/|q| a row.
template <class S, bool complex>
class EmaBackward : EmaCall<S, complex> {
  using Call = EmaCall<S, complex>;
  using Call::kParts, Call::kSize, Call::N, Call::numbers, Call::x_, Call::ctx_;
  using typename Call::Row;
  using Gradient = typename Call::Gradient;

 public:
  /// `kept` is what forward kept. `d_states` (B, parts * N, D) come in for those left and become those of the received;
  /// null: nothing follows and nothing came before.
  EmaBackward(const Context& ctx, const typename Call::Coefficients& c, Seq<const S> x, Seq<const S> dy, Seq<S> dx,
              const S* kept, S* d_states)
      : Call(ctx, c, x), dy_(dy), dx_(dx), kept_(kept), d_states_(d_states) {}

  /// Writes all of `total`.
  void run(const Gradient& total) const {
    Frame frame(ctx_.scratch());
    const Index blocks = Call::blocks(), groups = std::min(x_.B, kGroups), size = Gradient::size(N(), x_.C);
    S* const parts = groups > 1 ? frame.take<S>(groups * size) : total.data;
    const Index per_task = Call::per_task(x_.row_count() / std::max<Index>(1, groups));
    ctx_.parallel_ranges(groups * blocks, per_task, [&](Index begin, Index end, Arena& arena) {
      for (Index i = begin; i < end; ++i) {
        const Index g = i / blocks;
        group(g * x_.B / groups, (g + 1) * x_.B / groups, i % blocks, {parts + g * size, N(), x_.C}, arena);
      }
    });
    if (groups == 1) return;
    ctx_.parallel_rows(size / kSize, kSize, [&](Index begin, Index end, Arena&) {
      const auto piece = [&](S* from) { return row_map(from + begin * kSize, (end - begin) * kSize); };
      piece(total.data) = piece(parts);
      for (Index group = 1; group < groups; ++group) piece(total.data) += piece(parts + group * size);
    });
  }
  static Index scratch(Index B, Index N, Index D) { return B > 1 ? std::min(B, kGroups) * Gradient::size(N, D) : 0; }
  static Index scratch_of_thread(Index N) {
    return (kParts * N + 2 * kParts * N + 1 + 3 * kEmaRows + kParts * (kEmaRows + 1)) * kSize;
  }

 private:
  /// Of sequences, whose gradients are summed apart: at most so many threads share a block.
  static constexpr Index kGroups = 8;

  struct Buffers {
    S *carry, *total, *x, *dy, *dx, *states;
  };

  /// Sequences [begin, end) of one block of channels.
  void group(Index begin, Index end, Index block, const Gradient& out, Arena& arena) const {
    Frame frame(arena);
    const Index rows = 2 * kParts * N() + 1, D = x_.C, first = block * kSize, lanes = Call::lanes(block);
    const auto take = [&](Index n) { return frame.take<S>(n * kSize); };
    const Buffers buffers{take(numbers()), take(rows),     take(kEmaRows),
                          take(kEmaRows),  take(kEmaRows), take(kParts * (kEmaRows + 1))};
    std::fill_n(buffers.total, rows * kSize, S(0));
    for (Index b = begin; b < end; ++b) {
      if (d_states_ != nullptr) Call::gather(d_states_ + b * numbers() * D + first, D, numbers(), lanes, buffers.carry);
      else std::fill_n(buffers.carry, numbers() * kSize, S(0));
      for (Index piece = ema_pieces(x_.T) - 1; piece >= 0; --piece) backward(b, piece, block, buffers);
      if (d_states_ != nullptr) Call::scatter(buffers.carry, D, numbers(), lanes, d_states_ + b * numbers() * D + first);
    }
    std::copy_n(buffers.total, rows * kSize, out.row(block, 0, 0));
  }

  void backward(Index b, Index piece, Index block, const Buffers& at) const {
    const Index first = block * kSize, lanes = Call::lanes(block), D = x_.C;
    const Index t = piece * kEmaRows, rows = std::min(kEmaRows, x_.T - t), row = b * x_.T + t;
    const S* const kept = kept_ + (b * ema_pieces(x_.T) + piece) * numbers() * D + first;
    Call::gather(x_.row(row) + first, D, rows, lanes, at.x);
    Call::gather(dy_.row(row) + first, D, rows, lanes, at.dy);
    const Row skip = Call::skip(block);
    Row d_skip = Row::zero();
    for (Index i = 0; i < rows; ++i) {
      const Row dy = Row::load(at.dy + i * kSize);
      (skip * dy).store(at.dx + i * kSize);
      d_skip = multiply_add(dy, Row::load(at.x + i * kSize), d_skip);
    }
    add(d_skip, at.total + 2 * kParts * N() * kSize);
    for (Index n = 0; n < N(); ++n) {
      Call::gather(kept + n * kParts * D, D, kParts, lanes, at.states);
      replay(Call::c_.row(block, n, 0), at.x, at.states, rows);
      reverse(n, Call::c_.row(block, n, 0), at, rows);
    }
    Call::scatter(at.dx, D, rows, lanes, dx_.row(row) + first);
  }
  static void add(const Row& a, S* to) { (Row::load(to) + a).store(to); }
  static S* state(S* states, Index i, Index part) { return states + (i * kParts + part) * kSize; }

  /// s_t = q s_{t-1} + x_t: the state before row i is number i, that after the last row the last.
  void replay(const S* c, const S* x, S* states, Index rows) const {
    const auto of = [&](Index r) { return Row::load(c + r * kSize); };
    Row re = Row::load(state(states, 0, 0)), im = complex ? Row::load(state(states, 0, kParts - 1)) : Row::zero();
    for (Index i = 0; i < rows; ++i) {
      const Row xi = Row::load(x + i * kSize), old = re;
      re = multiply_add(of(Call::kQ), re, xi);
      if constexpr (complex) {
        re = multiply_add(of(Call::kMinusQIm), im, re);
        im = multiply_add(of(Call::kQIm), old, of(Call::kQ) * im);
        im.store(state(states, i + 1, 1));
      }
      re.store(state(states, i + 1, 0));
    }
  }

  /// carry is conj(q) b_{t+1}.
  void reverse(Index n, const S* c, const Buffers& buffers, Index rows) const {
    const Buffers at = buffers;  // a copy, which no store into it can change
    const auto of = [&](Index r) { return Row::load(c + r * kSize); };
    S* const carry = at.carry + n * kParts * kSize;
    S* const total = at.total + n * 2 * kParts * kSize;
    Row c_re = Row::load(carry), c_im = complex ? Row::load(carry + (kParts - 1) * kSize) : Row::zero();
    Row dq_re = Row::zero(), dq_im = dq_re, dk_re = dq_re, minus_dk_im = dq_re;
    for (Index i = rows - 1; i >= 0; --i) {
      const Row dy = Row::load(at.dy + i * kSize), s_re = Row::load(state(at.states, i, 0));
      const Row b_re = multiply_add(of(Call::kK), dy, c_re);
      (Row::load(at.dx + i * kSize) + b_re).store(at.dx + i * kSize);
      dk_re = multiply_add(dy, Row::load(state(at.states, i + 1, 0)), dk_re);
      dq_re = multiply_add(s_re, b_re, dq_re);
      c_re = of(Call::kQ) * b_re;
      if constexpr (complex) {
        const Row s_im = Row::load(state(at.states, i, 1));
        const Row b_im = multiply_add(of(Call::kMinusKIm), dy, c_im);
        minus_dk_im = multiply_add(dy, Row::load(state(at.states, i + 1, 1)), minus_dk_im);
        dq_re = multiply_add(s_im, b_im, dq_re);
        dq_im = multiply_add(s_re, b_im, multiply_add(-s_im, b_re, dq_im));
        c_re = multiply_add(of(Call::kQIm), b_im, c_re);
        c_im = multiply_add(of(Call::kMinusQIm), b_re, of(Call::kQ) * b_im);
      }
    }
    c_re.store(carry);
    add(dq_re, total);
    add(dk_re, total + kParts * kSize);
    if constexpr (complex) {
      c_im.store(carry + kSize);
      add(dq_im, total + kSize);
      add(-minus_dk_im, total + 3 * kSize);
    }
  }

  const Seq<const S> dy_;
  const Seq<S> dx_;
  const S* const kept_;
  S* const d_states_;
};

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// What a decoder of bytes is: Flat (one stack over bytes) and Patched (a stack over patches, with another decoder inside).
#pragma once

#include <algorithm>
#include <vector>

#include "megalith/models/config.h"
#include "megalith/nn/embedding.h"
#include "megalith/nn/module.h"

namespace megalith {

/// A ByteDecoder owns byte tables, a stack and a loss head, and turns bytes (B,T) into losses in nats (B,T).
///
/// Its unit U is the number of bytes that one position of its stack stands for. Position k of the stack reads the embedding
/// of unit k-1 (the trained pad where there is none) plus row k of the condition, added after the shift, to the pad's row
/// too. The condition (B, K, width()) comes from an outer decoder; the outermost has none (data == nullptr). Its rows count
/// from the start of the sequence that State tells.
///
///   train(ctx, bytes, condition, dcondition, scale, losses, grad, state, dstate, tape)
///       forward, loss and backward in one: with L = scale * sum of losses + <state left, dstate>, losses are written, grad +=
///       dL/d(parameters), dcondition = dL/d(condition) is written, dstate becomes dL/d(state received). T is a multiple of
///       U.
///   score(ctx, bytes, condition, losses, state)    losses alone.
///   read(ctx, bytes, condition, state)            n >= 0 bytes, many rows at a time; from anywhere inside a unit.
///   next(ctx, condition, state, logits)           logits (B,1,256) of the next byte, once for each byte.
///   accept(bytes, state)                          the bytes (B) that next() was about; read() does as well.
///
/// ctx.first_row is the absolute number of the first byte.
/// D::State(m, B) is closed, for training on independent windows; D::State(m, B, n) has room for n bytes. begin(previous)
/// starts a sequence: `previous` (B,U) holds the unit before it, or kNoByte; null: there is none. A decoder whose first
/// input is the pad does not read it, but a decoder inside may.
template <class D>
concept ByteDecoder = std::copyable<D> && std::copyable<typename D::State> &&
    std::constructible_from<D, const ModelConfig&, std::size_t> &&
    requires(const D m, D grad, Context ctx, Bytes bytes, Seq<const typename D::Scalar> condition,
             Seq<typename D::Scalar> dcondition, typename D::Scalar* losses, typename D::State state, typename D::Tape tape,
             const ByteOrNone* previous, const std::uint8_t* accepted, Shape shape, RandomKey key, Init how) {
  { m.unit() } -> std::same_as<Index>;
  { m.width() } -> std::same_as<Index>;
  m.train(ctx, bytes, condition, dcondition, typename D::Scalar(1), losses, grad, state, state, tape);
  m.score(ctx, bytes, condition, losses, state);
  m.read(ctx, bytes, condition, state);
  m.next(ctx, condition, state, dcondition);
  m.accept(accepted, state);
  state.begin(previous);
  { m.flops(shape) } -> std::same_as<double>;
  grad.init(key, how);
};

/// What a decoder remembers of the bytes it has seen, for each of B sequences.
struct ByteHistory {
  Index B = 0, unit = 1;
  std::vector<ByteOrNone> last;     // (B, unit): the last whole unit, or kNoByte
  std::vector<ByteOrNone> partial;  // (B, unit): the bytes of the unfinished one
  Index position = 0;               // bytes seen since the start of the sequence
  Index rows_done = 0;                // positions of the stack that are done: position / unit, or one more

  ByteHistory() = default;
  ByteHistory(Index b, Index u)
      : B(b), unit(u), last(static_cast<std::size_t>(b * u), kNoByte), partial(static_cast<std::size_t>(b * u), kNoByte) {}

  /// Nothing was seen but, where `previous` (B, unit) is not null, the unit before.
  void begin(const ByteOrNone* previous) {
    if (previous != nullptr) std::copy_n(previous, B * unit, last.begin());
    else std::fill(last.begin(), last.end(), kNoByte);
    position = rows_done = 0;
  }

  /// Whether the stack's next position is its first, and is to read the pad whatever came before.
  bool starts_with_pad(FirstInput first) const { return first == FirstInput::pad && rows_done == 0; }

  Index unfinished() const { return position % unit; }
  /// Bytes that pending_bytes() writes for each sequence when n more come.
  Index pending_count(Index n) const { return unit + unfinished() + n; }
  /// (B, pending_count(n)): the last whole unit, the bytes after it, and the new ones.
  void pending_bytes(Bytes bytes, ByteOrNone* out) const {
    for (Index b = 0; b < B; ++b) {
      out = std::copy_n(last.data() + b * unit, unit, out);
      out = std::copy_n(partial.data() + b * unit, unfinished(), out);
      out = std::copy_n(bytes.row(b), bytes.T, out);
    }
  }
  /// Takes in whole units (B, T), T > 0, of which the stack has done all positions.
  void append_units(Bytes bytes) {
    assert(unfinished() == 0 && bytes.T % unit == 0 && bytes.T > 0);
    for (Index b = 0; b < B; ++b) std::copy_n(bytes.row(b) + bytes.T - unit, unit, last.data() + b * unit);
    position += bytes.T;
    rows_done = position / unit;
  }
  /// Takes in n more bytes, given what pending_bytes() wrote for them.
  void append(const ByteOrNone* pending, Index n) {
    const Index count = pending_count(n), whole = (unfinished() + n) / unit * unit, rest = (unfinished() + n) % unit;
    for (Index b = 0; b < B; ++b) {
      std::copy_n(pending + b * count + whole, unit, last.data() + b * unit);
      std::copy_n(pending + b * count + whole + unit, rest, partial.data() + b * unit);
    }
    position += n;
  }
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What a decoder of bytes is: Flat (one stack over bytes) and Patched (a stack over patches, with another decoder inside).
#pragma once

#include "megalith/models/byte_history.h"

namespace megalith {

/// FLOPs of one part of a decoder, `scale` decoders inside the outermost.
struct DecoderFlops {
  Index scale = 0;
  const char* part = "";
  double flops = 0;
};

/// A ByteDecoder owns byte tables, a stack and a loss head, and turns bytes (B,T) into losses in nats (B,T).
///
/// One position of its stack stands for a patch of P bytes; P is 1 for the innermost decoder. Position k reads the embedding
/// of patch k-1 (the trained pad where there is none) plus row k of the condition, added after the shift, to the pad's row
/// too. The condition (B, K, width()) comes from an outer decoder; the outermost has none (data == nullptr). Its rows count
/// from the start of the sequence that State tells, or from the start of the chunk that the call begins in.
///
///   train(ctx, bytes, condition, dcondition, scale, losses, grad, state, dstate, tape)
///       forward, loss and backward in one: with L = scale * sum of losses + <state left, dstate>, losses are written, grad
///       += dL/d(parameters), dcondition = dL/d(condition) is written, dstate becomes dL/d(state received). T is a multiple
///       of P.
///   predicted(T)                                  of T bytes in train(), how many, the last ones, have a loss; for the
///                                                 others 0 is written. Without it, T. Where it is less, train() is for
///                                                 windows that nothing came before.
///   score(ctx, bytes, condition, losses, state)   losses alone, of all bytes.
///   read(ctx, bytes, condition, state)            n >= 0 bytes, many rows at a time; from anywhere inside a patch.
///   next(ctx, condition, state, logits)           logits (B,1,256) of the next byte, once for each byte.
///   accept(bytes, state)                          the bytes (B) that next() was about; read() does as well.
///   flops_by_part(shape)                          of the forward half of train(), in the order in which it runs.
///   scratch(shape, pass, threads)                 numbers of scratch: Pass::backward is train(), Pass::step is score().
///   ends()                                        whether it reads no position beyond the last of a learned table; without
///                                                 it, true. Where it is false, and a State needs no more memory for longer
///                                                 sequences than for one window, sequences may be of any length.
///
/// The rows of ctx are bytes (Context::row_number).
/// D::State has a `history` (ByteHistory), visit, visit_all and valid as a module's State, and ahead(): whether next() was
/// called for a byte that did not come yet. D is a template over its scalar, so that its shapes can be asked for
/// (core/shape_only.h). D::State(m, B) is closed, for training on independent windows; D::State(m, B, n) has room for n
/// bytes. begin(previous, position) starts a sequence with byte number `position`: `previous` (B,P) holds the patch before
/// it, or kNoByte; null: there is none. A decoder whose first input is the pad does not read it, but a decoder inside may.
///
/// An inner decoder with cross-patch attention reads the sequences of the decoder around it, in chunks of `chunk` positions,
/// each a patch of that decoder; 0: such a patch is a sequence of its own. reach() tells how many bytes before the end of a
/// chunk its State there depends on, in whole chunks.
template <class D>
concept ByteDecoder = std::copyable<D> && std::copyable<typename D::State> &&
    std::constructible_from<D, const ModelConfig&, std::size_t> &&
    requires(const D m, D grad, Context ctx, Bytes bytes, Seq<const typename D::Scalar> condition,
             Seq<typename D::Scalar> dcondition, typename D::Scalar* losses, typename D::State state, typename D::Tape tape,
             const ByteOrNone* previous, const std::uint8_t* accepted, Shape shape, RandomKey key, Init how) {
  { m.patch_size() } -> std::same_as<Index>;
  { m.width() } -> std::same_as<Index>;
  { m.chunk } -> std::convertible_to<Index>;
  { m.reach() } -> std::same_as<Index>;
  m.train(ctx, bytes, condition, dcondition, typename D::Scalar(1), losses, grad, state, state, tape);
  m.score(ctx, bytes, condition, losses, state);
  m.read(ctx, bytes, condition, state);
  m.next(ctx, condition, state, dcondition);
  m.accept(accepted, state);
  state.begin(previous, Index(0));
  { state.valid() } -> std::same_as<bool>;
  { state.ahead() } -> std::same_as<bool>;
  { m.flops_by_part(shape) } -> std::same_as<std::vector<DecoderFlops>>;
  { m.scratch(shape, Pass::backward, 1) } -> std::same_as<double>;
  grad.init(key, how);
};

}  // namespace megalith

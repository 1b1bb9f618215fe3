// SPDX-License-Identifier: Apache-2.0
// Vectors for patches: what a decoder's stack makes of a patch and of all that came before it.
#pragma once

#include <algorithm>

#include "megalith/models/byte_decoder.h"

namespace megalith {

/// out (B, T/P, width()) for bytes (B,T), whole patches. Position k of the stack reads patch k-1, so the vector of patch k
/// is the output at position k + 1, of which a window of L bytes has one less than it has patches: T is at most L - P.
template <class Decoder, class S = typename Decoder::Scalar>
void embed_patches(const Decoder& m, const Context& ctx, Bytes bytes, Seq<S> out) {
  Frame frame(ctx.scratch());
  const Index P = m.patch_size(), read = bytes.T + P, rows = read / P;
  ByteOrNone* const ids = frame.take<ByteOrNone>(bytes.B * read);
  for (Index b = 0; b < bytes.B; ++b) {
    std::fill_n(ids + b * read, P, kNoByte);
    std::copy_n(bytes.row(b), bytes.T, ids + b * read + P);
  }
  typename decltype(m.embedder)::State nothing(m.embedder, bytes.B);
  const auto in = m.embedder.step(ctx, ids, {bytes.B, read}, 0, nothing, frame);
  const Seq<S> y = frame.seq<S>(bytes.B, rows, m.width());
  typename decltype(m.stack)::State closed(m.stack, bytes.B);
  m.stack.step(ctx, in.x, y, closed);
  for (Index b = 0; b < bytes.B; ++b) std::copy_n(y.row(b * rows + 1), (rows - 1) * m.width(), out.row(b * (rows - 1)));
}

}  // namespace megalith

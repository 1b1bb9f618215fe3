// SPDX-License-Identifier: Apache-2.0
// What a decoder keeps of the bytes it has seen.
#pragma once

#include <algorithm>
#include <vector>

#include "megalith/models/config.h"
#include "megalith/nn/embedding.h"
#include "megalith/nn/module.h"

namespace megalith {

/// For each of B sequences: the last whole patch, the bytes of the unfinished one, and how far the stack is. The stack is
/// ahead of the bytes by up to one position: to predict the first byte of a patch it has to read the patch before.
struct ByteHistory {
  Index B = 0, patch = 1;           // P
  std::vector<ByteOrNone> last;     // (B, P): the last whole patch, or kNoByte
  std::vector<ByteOrNone> partial;  // (B, P): the bytes of the unfinished one
  Index position = 0;               // bytes seen since the start of the sequence
  Index rows_done = 0;              // positions of the stack that are done: position / P, or one more

  ByteHistory() = default;
  ByteHistory(Index b, Index p)
      : B(b), patch(p), last(static_cast<std::size_t>(b * p), kNoByte), partial(static_cast<std::size_t>(b * p), kNoByte) {}

  /// Nothing was seen but, where `previous` (B, P) is not null, the patch before. The next byte is number `at`, a multiple
  /// of P.
  void begin(const ByteOrNone* previous, Index at = 0) {
    if (previous != nullptr) std::copy_n(previous, B * patch, last.begin());
    else std::fill(last.begin(), last.end(), kNoByte);
    position = at;
    rows_done = at / patch;
  }

  Index unfinished() const { return position % patch; }
  /// Bytes that pending_bytes() writes for each sequence when n more come.
  Index pending_count(Index n) const { return patch + unfinished() + n; }
  /// (B, pending_count(n)): the last whole patch, the bytes after it, and the new ones.
  void pending_bytes(Bytes bytes, ByteOrNone* out) const {
    for (Index b = 0; b < B; ++b) {
      out = std::copy_n(last.data() + b * patch, patch, out);
      out = std::copy_n(partial.data() + b * patch, unfinished(), out);
      out = std::copy_n(bytes.row(b), bytes.T, out);
    }
  }
  /// Adds whole patches (B, T), T > 0, of which the stack has done all positions.
  void append_patches(Bytes bytes) {
    assert(unfinished() == 0 && bytes.T % patch == 0 && bytes.T > 0);
    for (Index b = 0; b < B; ++b) std::copy_n(bytes.row(b) + bytes.T - patch, patch, last.data() + b * patch);
    position += bytes.T;
    rows_done = position / patch;
  }
  /// Adds n more bytes, given what pending_bytes() wrote for them.
  void append(const ByteOrNone* pending, Index n) {
    const Index count = pending_count(n), whole = (unfinished() + n) / patch * patch, rest = (unfinished() + n) % patch;
    for (Index b = 0; b < B; ++b) {
      std::copy_n(pending + b * count + whole, patch, last.data() + b * patch);
      std::copy_n(pending + b * count + whole + patch, rest, partial.data() + b * patch);
    }
    position += n;
  }
  /// Adds one byte to each sequence.
  void append(const std::uint8_t* bytes) {
    const Index at = unfinished();
    for (Index b = 0; b < B; ++b) partial[static_cast<std::size_t>(b * patch + at)] = bytes[b];
    if (++position % patch == 0) last = partial;
  }

  /// Whether the counters fit together and every byte is one.
  bool valid() const {
    const auto known = [](ByteOrNone b) { return b >= kNoByte && b < kByteValues; };
    return position >= 0 && rows_done >= position / patch && rows_done <= position / patch + 1 &&
           std::all_of(last.begin(), last.end(), known) && std::all_of(partial.begin(), partial.end(), known);
  }
  template <class F, class H>
  static void visit_all(const Name& at, F&& f, H& history) {
    f(Name{&at, "last"}, history.last);
    f(Name{&at, "partial"}, history.partial);
    f(Name{&at, "position"}, history.position);
    f(Name{&at, "rows_done"}, history.rows_done);
  }
};

/// The history of a State over S: over ShapeOnly none is kept.
template <class S>
ByteHistory make_history(Index B, Index patch) {
  return {std::same_as<S, ShapeOnly> ? 0 : B, patch};
}

}  // namespace megalith

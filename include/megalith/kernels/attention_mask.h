// SPDX-License-Identifier: Apache-2.0
// Which earlier positions attention sees.
#pragma once

#include <algorithm>

#include "megalith/core/shape.h"

namespace megalith {

enum class MaskKind { window, chunk };

/// A causal mask: the query at position p sees the keys [first_key(p), p]. Positions count from the start of the sequence.
struct AttentionMask {
  /// window: itself and the size - 1 positions before it. chunk: the sequence is cut at multiples of `size`; it sees its
  /// own chunk up to itself (Ma et al. 2023, "Mega"), and the last `overlap` positions before that chunk.
  MaskKind kind = MaskKind::window;
  Index size = 0;     // 0: everything before
  Index overlap = 0;  // of chunks

  bool operator==(const AttentionMask&) const = default;

  /// The only function that knows the mask. It never decreases: what a position does not see, no later one sees.
  Index first_key(Index position) const {
    if (size <= 0) return 0;
    const Index first = kind == MaskKind::window ? position + 1 - size : position / size * size - overlap;
    return std::max<Index>(0, first);
  }

  /// No query sees more keys than this, of `keys`.
  Index most_keys(Index keys) const {
    if (size <= 0) return keys;
    return std::min(keys, kind == MaskKind::window ? size : size + overlap);
  }

  /// How many rows before `position` it still sees.
  Index visible_before(Index position) const { return position - first_key(position); }

  /// Rows that a State needs for a sequence of `length` positions: two windows, or a chunk and its overlap, so that old rows
  /// are moved away once in a window or a chunk.
  Index state_rows(Index length) const {
    if (size <= 0) return length;
    return std::min(length, kind == MaskKind::window ? 2 * size : size + overlap);
  }

  /// Query-key pairs of T positions after `past` earlier ones.
  double pairs(Index T, Index past = 0) const { return pairs_before(past + T) - pairs_before(past); }

 private:
  /// Pairs of the positions [0, end).
  double pairs_before(Index end) const {
    const auto triangle = [](Index n) { return static_cast<double>(n) * static_cast<double>(n + 1) / 2; };
    const auto product = [](Index a, Index b) { return static_cast<double>(a) * static_cast<double>(b); };
    if (size <= 0) return triangle(end);
    if (kind == MaskKind::window) {
      const Index growing = std::min(size, end);  // positions that do not see a whole window yet
      return triangle(growing) + product(end - growing, size);
    }
    const Index chunks = end / size, rest = end % size;
    const Index growing = std::min(chunks, (overlap + size - 1) / size);  // chunks with less than the overlap before them
    const double inside = static_cast<double>(chunks) * triangle(size) + triangle(rest);
    const double before =
        static_cast<double>(size) * (static_cast<double>(size) * triangle(growing - 1) + product(chunks - growing, overlap));
    return inside + before + product(rest, std::min(overlap, chunks * size));
  }
};

}  // namespace megalith

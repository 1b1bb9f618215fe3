// SPDX-License-Identifier: Apache-2.0
// What a stack leaves out where its upper blocks see chunks.
#pragma once

#include "megalith/core/shape.h"

namespace megalith {

/// Of a stack whose blocks above the first see nothing before their own chunk. What they have not read, they need not be
/// given: of positions before a chunk only the State of the first block matters later.
struct Chunks {
  Index size = 0;       // N positions, from multiples of N on; 0: the upper blocks see what they like
  Index predicted = 0;  // at the end of a training window, rounded up to whole chunks; 0: all

  /// The first position of the chunk that `position` is in.
  Index start(Index position) const { return size > 0 ? position / size * size : 0; }
  /// How many positions, the last ones, the blocks above the first have in training on windows of T positions.
  Index out_rows(Index T) const { return predicted == 0 || predicted >= T ? T : T - start(T - predicted); }
};

/// Those of a stack, as its first block says by chunks(). Such a block takes a y of fewer rows than x, which are those of
/// the last rows, from a chunk's start on, and in a step none at all.
template <class Block>
Chunks chunks_of(const Block& first) {
  if constexpr (requires { first.chunks(); }) return first.chunks();
  else return {};
}

}  // namespace megalith

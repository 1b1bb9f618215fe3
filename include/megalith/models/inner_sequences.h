// SPDX-License-Identifier: Apache-2.0
// How the decoder inside a patch runs over the patches of a batch.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "megalith/core/seq.h"
#include "megalith/models/state_bytes.h"

namespace megalith {

/// The sequences that an inner decoder reads, and how many of their bytes at once. Without cross-patch attention each patch
/// is a sequence of its own. With it the patches of a sequence follow one another in one, and where that is longer than a
/// tile it is read in pieces, between which a State passes; these are at least as long
/// as that reaches back.
struct InnerSequences {
  Index count = 0, length = 0;   // all of them; bytes of each
  Index at_once = 1, piece = 1;  // in a tile: sequences, bytes of each; one sequence where that is not the whole

  InnerSequences() = default;
  /// Of bytes (B,T) in patches of P, about `tile_bytes` at once. `reach`, of the inner decoder, is 0 where each patch stands
  /// alone.
  InnerSequences(Shape bytes, Index P, Index reach, Index tile_bytes)
      : count(reach > 0 ? bytes.B : bytes.rows() / P),
        length(reach > 0 ? bytes.T : P),
        piece(std::min(length, std::max(std::max<Index>(tile_bytes / P, 1) * P, reach))) {
    if (piece == length) at_once = std::clamp<Index>(tile_bytes / length, 1, std::max<Index>(count, 1));
  }

  Index pieces() const { return (length + piece - 1) / piece; }
  Shape tile() const { return {at_once, piece}; }
  /// Piece i of the sequences [first, first + n): where it begins in the whole batch, and its bytes.
  struct Piece {
    Index begin = 0;
    Bytes bytes{};
  };
  Piece at(Bytes all, Index first, Index n, Index i) const {
    const Index begin = first * length + i * piece;
    return {begin, {all.data + begin, n, std::min(piece, length - i * piece)}};
  }
};

/// Sequences [from_first, from_first + n) of a State become [to_first, to_first + n) of another of the same structure and
/// room, which then has read as much.
template <class State>
void copy_sequences(const State& from, Index from_first, State& to, Index to_first, Index n) {
  std::vector<std::span<const std::byte>> fields;
  State::visit_all(
      Name{}, [&](const Name&, const auto& field) { fields.push_back(std::as_bytes(detail::numbers_in(field))); }, from);
  std::size_t i = 0;
  State::visit_all(
      Name{},
      [&](const Name&, auto& field) {
        const auto source = fields[i++];
        const auto target = std::as_writable_bytes(detail::numbers_in(field));
        if constexpr (std::is_same_v<std::remove_reference_t<decltype(field)>, Index>) {
          std::copy(source.begin(), source.end(), target.begin());
        } else {
          const std::size_t size = source.size() / static_cast<std::size_t>(from.history.B);
          assert(target.size() == size * static_cast<std::size_t>(to.history.B));
          std::copy_n(source.data() + from_first * static_cast<Index>(size), n * static_cast<Index>(size),
                      target.data() + to_first * static_cast<Index>(size));
        }
      },
      to);
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of a stack of blocks.
#pragma once

#include "megalith/nn/transformer_config.h"

namespace megalith {

/// What tells positions apart. learned: a trained vector for each, added to the embeddings. rotary: the block rotates
/// queries and keys by their position (Su et al. 2021). none: the causal mask is the only signal.
enum class PositionKind { learned, rotary, none };
template <>
inline constexpr std::array<std::string_view, 3> kNames<PositionKind>{"learned", "rotary", "none"};

/// Blocks one after the other, and a norm. What the blocks are is a kind of its own (nn/block_config.h).
struct StackConfig {
  Index width = 512;  // C
  Index layers = 6;   // L
  PositionKind positions = PositionKind::learned;
  bool bias = true;    // of the linear layers
  double dropout = 0;  // of each residual branch, in training
  /// Keeps little of each block, as much as its kind says, and computes the rest again in backward: of a transformer about
  /// half of the memory for a fourth more time. The result has the same bits.
  bool recompute = false;
  BlockConfig block = TransformerConfig{};
  // Of the stack of an inner decoder, from the decoder around it (stack_config() in models/config.h): no fields of files.
  Index chunk = 0;    // positions in a patch of the decoder around it, whose patches follow one another; 0: there are none
  Index overlap = 0;  // of the chunk before, the last positions that attention sees (cross-patch attention); below chunk + 1

  bool operator==(const StackConfig&) const = default;

  /// All but the block, in the order of the file.
  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("width", c.width);
    f("layers", c.layers);
    f("positions", c.positions);
    f("bias", c.bias);
    f("dropout", c.dropout);
    f("recompute", c.recompute);
  }
  template <class C>
  static auto& kind_of(C& c) {
    return c.block;
  }
};

}  // namespace megalith

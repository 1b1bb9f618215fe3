// SPDX-License-Identifier: Apache-2.0
// The pre-norm transformer block.
#pragma once

#include "megalith/nn/attention.h"
#include "megalith/nn/attention_block.h"

namespace megalith {

/// The attention of a transformer block of that stack.
inline AttentionConfig attention_config(const StackConfig& stack) {
  const auto& c = stack.block.as<TransformerConfig>();
  return {
      .width = stack.width,
      .heads = c.heads,
      .kv_heads = c.kv_heads,
      .mask = stack.chunk > 0 ? AttentionMask{MaskKind::chunk, stack.chunk, stack.overlap} : AttentionMask{.size = c.window},
      .rotary_base = stack.positions == PositionKind::rotary ? c.rotary_base : 0,
      .qk_norm = c.qk_norm,
      .bias = stack.bias,
      .recompute = stack.recompute};
}

/// An AttentionBlock of softmax attention.
template <class S>
struct TransformerBlock : AttentionBlock<Attention<S>> {
  static Norm<S> final_norm(const StackConfig& c) { return {c.block.as<TransformerConfig>().norm, c.width}; }

  TransformerBlock() = default;
  /// All layers are alike.
  explicit TransformerBlock(const StackConfig& stack, Index = 0)
      : AttentionBlock<Attention<S>>(stack.block.as<TransformerConfig>().norm, Attention<S>(attention_config(stack)),
                                     FeedForward<S>(feed_forward_config<TransformerConfig>(stack)), stack.dropout) {}
};

}  // namespace megalith

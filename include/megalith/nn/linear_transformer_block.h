// SPDX-License-Identifier: Apache-2.0
// The pre-norm block of the linear transformer.
#pragma once

#include "megalith/nn/attention_block.h"
#include "megalith/nn/linear_attention.h"
#include "megalith/nn/linear_transformer_config.h"

namespace megalith {

/// The attention of a linear transformer block of that stack.
inline LinearAttentionConfig linear_attention_config(const StackConfig& stack) {
  const auto& c = stack.block.as<LinearTransformerConfig>();
  return {.width = stack.width,
          .heads = c.heads,
          .rotary_base = stack.positions == PositionKind::rotary ? c.rotary_base : 0,
          .bias = stack.bias,
          .recompute = stack.recompute};
}

/// An AttentionBlock of linear attention.
template <class S>
struct LinearTransformerBlock : AttentionBlock<LinearAttention<S>> {
  static Norm<S> final_norm(const StackConfig& c) { return {c.block.as<LinearTransformerConfig>().norm, c.width}; }

  LinearTransformerBlock() = default;
  /// All layers are alike.
  explicit LinearTransformerBlock(const StackConfig& stack, Index = 0)
      : AttentionBlock<LinearAttention<S>>(
            stack.block.as<LinearTransformerConfig>().norm, LinearAttention<S>(linear_attention_config(stack)),
            FeedForward<S>(feed_forward_config<LinearTransformerConfig>(stack)), stack.dropout) {}
};

}  // namespace megalith

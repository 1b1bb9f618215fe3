// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/linear_transformer_block.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

TEST(LinearTransformerBlock, ItsPartsAreThoseOfTheStack) {
  StackConfig stack{.width = 12,
                    .positions = PositionKind::rotary,
                    .bias = false,
                    .recompute = true,
                    .block = LinearTransformerConfig{.heads = 3, .activation = Activation::swiglu, .rotary_base = 7}};
  const LinearAttentionConfig attention = linear_attention_config(stack);
  EXPECT_EQ(attention.width, 12);
  EXPECT_EQ(attention.heads, 3);
  EXPECT_EQ(attention.rotary_base, 7);
  EXPECT_FALSE(attention.bias);
  EXPECT_TRUE(attention.recompute);
  const FeedForwardConfig feed_forward = feed_forward_config<LinearTransformerConfig>(stack);
  EXPECT_EQ(feed_forward.hidden, 32);  // 8/3 of the width
  EXPECT_EQ(feed_forward.activation, Activation::swiglu);
  stack.positions = PositionKind::none;
  EXPECT_EQ(linear_attention_config(stack).rotary_base, 0);
  EXPECT_EQ(LinearTransformerConfig{}.with_defaults(stack).hidden, 48);
  EXPECT_EQ(LinearTransformerConfig{}.with_defaults(stack).rotary_base, 0);
}

TEST(LinearTransformerBlock, IsItsHalvesOneAfterTheOther) {
  LinearTransformerBlock<double> m({.width = 6, .block = LinearTransformerConfig{.heads = 2}});
  testing::fill_parameters(m, {1});
  const Tensor<double> x = noise({2, 5, 6});
  EXPECT_EQ(testing::bit_error(forward(m, x), forward(m.feed_forward, forward(m.attention, x))), 0);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/transformer_block.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

TEST(TransformerBlock, DefaultWidths) {
  EXPECT_EQ(TransformerConfig{}.hidden_width(96), 384);
  EXPECT_EQ((TransformerConfig{.activation = Activation::swiglu}.hidden_width(96)), 256);
  // 266.7, rounded up to a multiple of 8.
  EXPECT_EQ((TransformerConfig{.activation = Activation::swiglu}.hidden_width(100)), 272);
  EXPECT_EQ((TransformerConfig{.hidden = 7}.hidden_width(96)), 7);
}

TEST(TransformerBlock, ItsPartsAreThoseOfTheStack) {
  const StackConfig stack{
      .width = 12,
      .positions = PositionKind::rotary,
      .bias = false,
      .recompute = true,
      .block = TransformerConfig{.heads = 3, .kv_heads = 1, .window = 5, .rotary_base = 7, .qk_norm = true}};
  EXPECT_EQ(attention_config(stack), (AttentionConfig{.width = 12,
                                                      .heads = 3,
                                                      .kv_heads = 1,
                                                      .mask = {.size = 5},
                                                      .rotary_base = 7,
                                                      .qk_norm = true,
                                                      .bias = false,
                                                      .recompute = true}));
  StackConfig learned = stack;
  learned.positions = PositionKind::learned;
  EXPECT_EQ(attention_config(learned).rotary_base, 0);
  const FeedForwardConfig feed_forward = feed_forward_config<TransformerConfig>(stack);
  EXPECT_EQ(feed_forward.hidden, 48);
  EXPECT_FALSE(feed_forward.bias);
  EXPECT_TRUE(feed_forward.recompute);
}

TEST(TransformerBlock, IsItsHalvesOneAfterTheOther) {
  TransformerBlock<double> m({.width = 6, .block = TransformerConfig{.heads = 2}});
  testing::fill_parameters(m, {1});
  const Tensor<double> x = noise({2, 5, 6});
  EXPECT_EQ(testing::bit_error(forward(m, x), forward(m.feed_forward, forward(m.attention, x))), 0);
}

TEST(TransformerBlock, RecomputingKeepsLittleAndChangesNoBit) {
  StackConfig config{.width = 8, .dropout = 0.2, .block = TransformerConfig{.heads = 2}};
  TransformerBlock<double> kept(config);
  config.recompute = true;
  TransformerBlock<double> again(config);
  testing::fill_parameters(kept, {1});
  testing::fill_parameters(again, {1});
  Workspace workspace(2);
  testing::Sample<TransformerBlock<double>> s{kept, noise({2, 20, 8}), noise({2, 20, 8}, 2)};
  const Context ctx = testing::context_of({}, workspace);
  const auto expected = testing::run(ctx, s, {kept, 2});
  s.module = again;
  const auto found = testing::compare(testing::run(ctx, s, {again, 2}), expected, testing::kBits);
  EXPECT_EQ(found.error, 0) << found.where;
  const TransformerBlock<double>::Tape small(again, {2, 20}), large(kept, {2, 20});
  EXPECT_TRUE(small.between.empty() && small.attention.branch.qkv.empty() && small.feed_forward.branch.hidden.empty());
  EXPECT_FALSE(large.between.empty());
}

}  // namespace
}  // namespace megalith::tests

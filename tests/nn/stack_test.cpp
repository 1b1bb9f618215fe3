// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/stack.h"

#include <gtest/gtest.h>

#include "megalith/nn/transformer_block.h"
#include "support/forward.h"

namespace megalith::tests {
namespace {

using Block = TransformerBlock<double>;
const StackConfig kConfig{.width = 6, .layers = 2, .block = TransformerConfig{.heads = 2, .hidden = 7}};

TEST(Stack, IsItsBlocksAndANorm) {
  Stack<Block> m(kConfig);
  testing::fill_parameters(m, {1});
  const Tensor<double> x = noise({2, 5, 6});
  const Tensor<double> expected = forward(m.norm, forward(m.blocks[1], forward(m.blocks[0], x)));
  EXPECT_LT(testing::relative_error(forward(m, x), expected), 1e-14);
}

TEST(Stack, WithoutBlocksIsTheNorm) {
  StackConfig config = kConfig;
  config.layers = 0;
  const Stack<Block> m(config);
  const Tensor<double> x = noise({1, 3, 6});
  EXPECT_EQ(testing::bit_error(forward(m, x), forward(m.norm, x)), 0);
}

TEST(Stack, Names) {
  const std::vector<std::string> names = parameter_names(Stack<Block>(kConfig));
  const std::vector<std::string> block{"attention.norm.gain",    "attention.norm.bias",      "attention.qkv.weight",
                                       "attention.qkv.bias",     "attention.out.weight",     "attention.out.bias",
                                       "feed_forward.norm.gain", "feed_forward.norm.bias",   "feed_forward.up.weight",
                                       "feed_forward.up.bias",   "feed_forward.down.weight", "feed_forward.down.bias"};
  ASSERT_EQ(names.size(), 26u);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(names[i], "blocks.0." + block[i]);
    EXPECT_EQ(names[12 + i], "blocks.1." + block[i]);
  }
  EXPECT_EQ(names[24], "norm.gain");
  EXPECT_EQ(names[25], "norm.bias");
}

TEST(Stack, InitGivesEachBlockItsOwnNumbers) {
  Stack<Block> m(kConfig);
  m.init({1}, {.std = 0.02});
  EXPECT_NE(testing::bit_error(m.blocks[0].attention.branch.qkv.weight, m.blocks[1].attention.branch.qkv.weight), 0);
}

TEST(Stack, BranchesThatStartAtZeroLeaveTheInput) {
  Stack<Block> m(kConfig);
  m.init({1}, {.std = 0.02, .residual = 0});
  const Tensor<double> x = noise({1, 4, 6});
  EXPECT_EQ(testing::bit_error(forward(m, x), forward(m.norm, x)), 0);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/recompute.h"

#include <gtest/gtest.h>

#include "megalith/nn/stack.h"
#include "megalith/nn/transformer_block.h"
#include "support/forward.h"

namespace megalith::tests {
namespace {

using Block = TransformerBlock<double>;

TEST(Recompute, GivesTheSameBits) {
  const StackConfig config{.width = 6, .layers = 3, .heads = 2, .hidden = 7, .dropout = 0.2};
  Stack<Block> plain(config);
  Stack<Recompute<Block>> recomputing(config);
  testing::fill_parameters(plain, {1});
  testing::fill_parameters(recomputing, {1});
  EXPECT_EQ(parameter_names(recomputing), parameter_names(plain));
  const Tensor<double> x = noise({2, 70, 6}), dy = noise({2, 70, 6}, 2);
  Workspace workspace(2);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  const auto a = testing::run(ctx, testing::Sample<Stack<Block>>{plain, x, dy}, {plain, 2});
  const auto b = testing::run(ctx, testing::Sample<Stack<Recompute<Block>>>{recomputing, x, dy}, {recomputing, 2});
  EXPECT_EQ(testing::bit_error(a.y, b.y), 0);
  EXPECT_EQ(testing::bit_error(a.dx, b.dx), 0);
  std::vector<Tensor<double>> gradients;
  for_each_parameter(a.grad, [&](const Name&, const Tensor<double>& p) { gradients.push_back(p); });
  std::size_t i = 0;
  for_each_parameter(b.grad, [&](const Name& name, const Tensor<double>& p) {
    EXPECT_EQ(testing::bit_error(p, gradients[i++]), 0) << name.str();
  });
}

TEST(Recompute, LayersShareOneInnerTape) {
  const Stack<Recompute<Block>> m({.width = 6, .layers = 3, .heads = 2});
  const Stack<Recompute<Block>>::Tape tape(m, {2, 5});
  EXPECT_EQ(tape.blocks[0].inner.get(), tape.blocks[2].inner.get());
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// What conditions a local model (Yu et al. 2023, eq. 4), by hand.
#include "megalith/models/local_condition.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// Patches of 4 bytes, each embedded in 2 numbers, around positions of 2 bytes of width 3: two slots of 4 numbers.
LocalCondition<double> condition(Index width) {
  const ModelConfig config{
      .length = 8, .scales = {{.patch = 4, .embedding = 2, .stack = {.width = width}}, {.patch = 2, .stack = {.width = 3}}}};
  return {config, 0};
}

std::vector<double> conditions(const LocalCondition<double>& m, const Tensor<double>& y) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Frame frame(ctx.scratch());
  const Seq<double> out = m.make(y.dims()[1], frame);
  m.forward(ctx, testing::view(y), out, frame);
  EXPECT_EQ(out.B, y.dims()[1]);
  EXPECT_EQ(out.T, 2);
  EXPECT_EQ(out.C, 3);
  return {out.data, out.data + out.size()};
}

TEST(LocalCondition, EachSlotOfARowIsProjected) {
  LocalCondition<double> m = condition(8);
  EXPECT_FALSE(m.projects());
  EXPECT_EQ(m.rows_per_patch, 2);
  m.w_gl.weight.row(0)[0] = 1;   // c_0 = slot_0
  m.w_gl.weight.row(3)[1] = 10;  // c_1 = 10 slot_3
  const Tensor<double> y = tensor({1, 2, 8}, {1, 2, 3, 4, 5, 6, 7, 8, -1, 0, 0, 1, -2, 0, 0, 2});
  EXPECT_EQ(conditions(m, y), (std::vector<double>{1, 40, 0, 5, 80, 0, -1, 10, 0, -2, 20, 0}));
  EXPECT_EQ(m.flops(5).products, 5 * 2 * 2 * 4 * 3);
  EXPECT_EQ(m.numbers(5), 5 * 2 * 3);
  std::vector<std::string> names;
  LocalCondition<double>::visit_unembed(
      Name{}, [&](const Name& name, auto&) { names.push_back(name.str()); }, m);
  LocalCondition<double>::visit_w_gl(
      Name{}, [&](const Name& name, auto&) { names.push_back(name.str()); }, m);
  EXPECT_EQ(names, (std::vector<std::string>{"condition.weight"}));  // no bias
}

TEST(LocalCondition, ARowOfAnotherWidthIsWidenedFirst) {
  LocalCondition<double> m = condition(5);
  ASSERT_TRUE(m.projects());
  m.unembed.weight.row(0)[0] = 2;  // slot 0 of y is (2 y_0, 0, 0, 0)
  m.unembed.weight.row(4)[4] = 3;  // slot 1 is (3 y_4, 0, 0, 0)
  m.w_gl.weight.row(0)[2] = 1;
  EXPECT_EQ(conditions(m, tensor({1, 1, 5}, {7, 0, 0, 0, 11.0})), (std::vector<double>{0, 0, 14, 0, 0, 33}));
  EXPECT_EQ(m.projection_flops(5).products, 5 * 2 * 5 * 8);
  EXPECT_EQ(m.numbers(5), 5 * (2 * 3 + 8));
}

}  // namespace
}  // namespace megalith::tests

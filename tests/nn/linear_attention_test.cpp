// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/linear_attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// One head of width D whose queries, keys, values and output are x itself.
LinearAttention<double> identity(Index D, double rotary_base = 0) {
  LinearAttention<double> m({.width = D, .heads = 1, .rotary_base = rotary_base, .bias = false});
  for (Index c = 0; c < D; ++c) {
    for (Index part = 0; part < 3; ++part) m.qkv.weight.row(c)[part * D + c] = 1;
    m.out.weight.row(c)[c] = 1;
  }
  return m;
}

TEST(LinearAttention, WeighsValuesByFeatures) {
  // phi(1) = 2 and phi(-1) = 1/e, so that the second row weighs the first by 2/e and itself by 1/e^2.
  const Tensor<double> y = forward(identity(1), tensor({1, 2, 1}, {1, -1}));
  const double e = std::exp(1);
  EXPECT_DOUBLE_EQ(y.data()[0], 1);
  EXPECT_DOUBLE_EQ(y.data()[1], (2 / e - 1 / (e * e)) / (2 / e + 1 / (e * e)));
}

TEST(LinearAttention, RotaryPositionsTurnTheNumeratorAlone) {
  // Features (2, 3) and (4, 2); one position is one radian.
  const Tensor<double> y = forward(identity(2, 10000), tensor({1, 2, 2}, {1, 2, 3, 1}));
  const double c = std::cos(1), s = std::sin(1);
  const double of_first = (4 * c - 2 * s) * 2 + (2 * c + 4 * s) * 3, of_itself = 4 * 4 + 2 * 2;
  const double sum = 4 * 2 + 2 * 3 + of_itself;
  EXPECT_DOUBLE_EQ(y.data()[0], 1);
  EXPECT_DOUBLE_EQ(y.data()[2], (of_first * 1 + of_itself * 3) / sum);
  EXPECT_DOUBLE_EQ(y.data()[3], (of_first * 2 + of_itself * 1) / sum);
}

TEST(LinearAttention, TheStateDoesNotGrow) {
  const LinearAttention<float> m({.width = 12, .heads = 3});
  using State = LinearAttention<float>::State;
  const State closed(m, 2), small(m, 2, 1), large(m, 2, 1'000'000);
  EXPECT_FALSE(closed.open());
  EXPECT_TRUE(closed.valid(7));
  EXPECT_EQ(small.value_sums.size(), 2 * 3 * 4 * 4);
  EXPECT_EQ(large.value_sums.size(), small.value_sums.size());
  EXPECT_EQ(large.key_sums.size(), 2 * 3 * 4);
}

TEST(LinearAttention, RecomputingKeepsLittleAndChangesNoBit) {
  LinearAttentionConfig config{.width = 8, .heads = 2, .rotary_base = 100};
  LinearAttention<double> kept(config);
  config.recompute = true;
  LinearAttention<double> again(config);
  testing::fill_parameters(kept, {1});
  testing::fill_parameters(again, {1});
  Workspace workspace(2);
  testing::Sample<LinearAttention<double>> s{kept, noise({2, 80, 8}), noise({2, 80, 8}, 2)};
  const Context ctx = testing::context_of({}, workspace);
  const auto expected = testing::run(ctx, s, {kept, 2});
  s.module = again;
  const auto found = testing::compare(testing::run(ctx, s, {again, 2}), expected, testing::kBits);
  EXPECT_EQ(found.error, 0) << found.where;
  const LinearAttention<double>::Tape small(again, {2, 80}), large(kept, {2, 80});
  EXPECT_TRUE(small.rows.empty());
  EXPECT_FALSE(large.rows.empty());
}

}  // namespace
}  // namespace megalith::tests

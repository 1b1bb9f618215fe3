// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/attention.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// The module written down with T x T matrices, row by row.
Tensor<double> by_definition(const Attention<double>& m, const Tensor<double>& x) {
  const auto [B, T] = testing::view(x).shape();
  const Index C = m.in_channels(), D = m.head_width();
  Tensor<double> y = x;
  for (Index b = 0; b < B; ++b) {
    Matrix<double> qkv = x.mat().middleRows(b * T, T) * m.qkv.weight.mat();
    if (!m.qkv.bias.empty()) qkv.rowwise() += m.qkv.bias.vec();
    Matrix<double> out(T, C);
    for (Index h = 0; h < m.heads; ++h) {
      Matrix<double> q = qkv.middleCols(h * D, D), k = qkv.middleCols(C + h * D, D);
      const Matrix<double> v = qkv.middleCols(2 * C + h * D, D);
      for (Index t = 0; t < T; ++t) {
        if (m.qk_norm()) {
          q.row(t) =
              q.row(t).cwiseProduct(m.q_gain.vec()) / std::sqrt(q.row(t).squaredNorm() / static_cast<double>(D) + 1e-6);
          k.row(t) =
              k.row(t).cwiseProduct(m.k_gain.vec()) / std::sqrt(k.row(t).squaredNorm() / static_cast<double>(D) + 1e-6);
        }
        for (Index i = 0; m.rotary_base > 0 && i < D / 2; ++i) {
          const double angle =
              static_cast<double>(t) * std::pow(m.rotary_base, -2.0 * static_cast<double>(i) / static_cast<double>(D));
          for (Matrix<double>* p : {&q, &k}) {
            const double lower = (*p)(t, i), upper = (*p)(t, i + D / 2);
            (*p)(t, i) = lower * std::cos(angle) - upper * std::sin(angle);
            (*p)(t, i + D / 2) = upper * std::cos(angle) + lower * std::sin(angle);
          }
        }
      }
      Matrix<double> p = (q * k.transpose() / std::sqrt(static_cast<double>(D))).array().exp();
      for (Index i = 0; i < T; ++i)
        for (Index j = 0; j < T; ++j)
          if (j > i || (m.window > 0 && j <= i - m.window)) p(i, j) = 0;
      for (Index i = 0; i < T; ++i) p.row(i) /= p.row(i).sum();
      out.middleCols(h * D, D) = p * v;
    }
    y.mat().middleRows(b * T, T) = out * m.out.weight.mat();
    if (!m.out.bias.empty()) y.mat().middleRows(b * T, T).rowwise() += m.out.bias.vec();
  }
  return y;
}

void compare_with_definition(const StackConfig& config) {
  Attention<double> m(config);
  testing::fill_parameters(m, {2});
  m.qkv.weight.vec() *= 4;  // far from uniform attention
  for (const Index T : {1, 10, 70, 130}) {
    const Tensor<double> x = noise({2, T, config.width});
    EXPECT_LT(testing::relative_error(forward(m, x), by_definition(m, x)), 1e-12) << "T = " << T;
  }
}

TEST(Attention, IsItsDefinition) { compare_with_definition({.width = 12, .heads = 3}); }
TEST(Attention, WithAWindow) {
  compare_with_definition({.width = 12, .heads = 3, .window = 1});
  compare_with_definition({.width = 12, .heads = 3, .window = 7});
  compare_with_definition({.width = 12, .heads = 1, .window = 65});
}
TEST(Attention, WithRotaryPositions) {
  compare_with_definition({.width = 12, .heads = 3, .positions = PositionKind::rotary, .rotary_base = 50});
}
TEST(Attention, WithHeadNorm) {
  compare_with_definition({.width = 12, .heads = 2, .qk_norm = true, .bias = false});
  compare_with_definition({.width = 12, .heads = 2, .window = 9, .positions = PositionKind::rotary, .qk_norm = true});
}

TEST(Attention, AWindowBoundsTheState) {
  const Attention<float> m({.width = 4, .heads = 1, .window = 8});
  EXPECT_EQ(Attention<float>::State(m, 2, 1000).capacity(), 16);
  EXPECT_EQ(Attention<float>::State(m, 2, 5).capacity(), 5);
  EXPECT_EQ(Attention<float>::State(m, 2).capacity(), 0);
}

TEST(Attention, Names) {
  EXPECT_EQ(parameter_names(Attention<float>({.width = 4, .heads = 1, .qk_norm = true})),
            (std::vector<std::string>{"qkv.weight", "qkv.bias", "q_norm.gain", "k_norm.gain", "out.weight", "out.bias"}));
}

}  // namespace
}  // namespace megalith::tests

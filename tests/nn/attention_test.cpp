// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/attention.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

/// The module written down with T x T matrices, row by row.
Tensor<double> by_definition(const Attention<double>& m, const Tensor<double>& x) {
  const auto [B, T] = testing::view(x).shape();
  const AttentionShape& s = m.core.shape;
  const Index H = s.heads, Hkv = s.kv_heads, Dk = s.key_width, Dv = s.value_width;
  const auto head_norm = [&](auto row, const Tensor<double>& gain) {
    row = row.cwiseProduct(gain.vec()).eval() / std::sqrt(row.squaredNorm() / static_cast<double>(Dk) + 1e-6);
  };
  Tensor<double> y = x;
  for (Index b = 0; b < B; ++b) {
    Matrix<double> qkv = x.mat().middleRows(b * T, T) * m.qkv.weight.mat();
    if (!m.qkv.bias.empty()) qkv.rowwise() += m.qkv.bias.vec();
    Matrix<double> out(T, H * Dv);
    for (Index h = 0; h < H; ++h) {
      const Index kh = h * Hkv / H;
      Matrix<double> q = qkv.middleCols(h * Dk, Dk), k = qkv.middleCols((H + kh) * Dk, Dk);
      const Matrix<double> v = qkv.middleCols((H + Hkv) * Dk + kh * Dv, Dv);
      for (Index t = 0; t < T; ++t) {
        if (m.qk_norm()) {
          head_norm(q.row(t), m.q_gain);
          head_norm(k.row(t), m.k_gain);
        }
        for (Index i = 0; m.rotary_base > 0 && i < Dk / 2; ++i) {
          const double angle =
              static_cast<double>(t) * std::pow(m.rotary_base, -2.0 * static_cast<double>(i) / static_cast<double>(Dk));
          for (Matrix<double>* p : {&q, &k}) {
            const double lower = (*p)(t, i), upper = (*p)(t, i + Dk / 2);
            (*p)(t, i) = lower * std::cos(angle) - upper * std::sin(angle);
            (*p)(t, i + Dk / 2) = upper * std::cos(angle) + lower * std::sin(angle);
          }
        }
      }
      const double scale = s.scale > 0 ? s.scale : 1 / std::sqrt(static_cast<double>(Dk));
      Matrix<double> p = (q * k.transpose() * scale).array().exp();
      for (Index i = 0; i < T; ++i)
        for (Index j = 0; j < T; ++j)
          if (j > i || j < s.mask.first_key(i)) p(i, j) = 0;
      for (Index i = 0; i < T; ++i) p.row(i) /= p.row(i).sum();
      out.middleCols(h * Dv, Dv) = p * v;
    }
    y.mat().middleRows(b * T, T) = out * m.out.weight.mat();
    if (!m.out.bias.empty()) y.mat().middleRows(b * T, T).rowwise() += m.out.bias.vec();
  }
  return y;
}

void compare_with_definition(const AttentionConfig& config) {
  Attention<double> m(config);
  testing::fill_parameters(m, {2});
  m.qkv.weight.vec() *= 4;  // far from uniform attention
  for (const Index T : {Index{1}, Index{10}, detail::kKeyTile + 2}) {
    const Tensor<double> x = noise({2, T, config.width});
    EXPECT_LT(testing::relative_error(forward(m, x), by_definition(m, x)), 1e-12) << "T = " << T;
  }
}

TEST(Attention, IsItsDefinition) { compare_with_definition({.width = 12, .heads = 3}); }
TEST(Attention, WithAWindow) {
  compare_with_definition({.width = 12, .heads = 3, .mask = {.size = 1}});
  compare_with_definition({.width = 12, .heads = 3, .mask = {.size = 7}});
  compare_with_definition({.width = 12, .heads = 1, .mask = {.size = 65}});
}
TEST(Attention, InChunks) {
  compare_with_definition({.width = 12, .heads = 3, .mask = {.kind = MaskKind::chunk, .size = 7}});
  compare_with_definition({.width = 12, .heads = 3, .mask = {.kind = MaskKind::chunk, .size = 60, .overlap = 9}});
}
TEST(Attention, WithGroupedKeys) {
  compare_with_definition({.width = 12, .heads = 6, .kv_heads = 3});
  compare_with_definition({.width = 12, .heads = 3, .kv_heads = 1, .rotary_base = 50, .qk_norm = true});
}
TEST(Attention, WithWidthsAndAScaleOfItsOwn) {
  compare_with_definition({.width = 7, .heads = 3, .key_width = 2, .value_width = 5, .scale = 0.3});
  compare_with_definition({.width = 9, .heads = 4, .kv_heads = 2, .key_width = 6, .value_width = 1});
}
TEST(Attention, WithRotaryPositions) { compare_with_definition({.width = 12, .heads = 3, .rotary_base = 50}); }
TEST(Attention, WithHeadNorm) {
  compare_with_definition({.width = 12, .heads = 2, .qk_norm = true, .bias = false});
  compare_with_definition({.width = 12, .heads = 2, .mask = {.size = 9}, .rotary_base = 10000, .qk_norm = true});
}

TEST(Attention, Shapes) {
  const Attention<float> m({.width = 10, .heads = 4, .kv_heads = 2, .key_width = 3, .value_width = 5, .qk_norm = true});
  EXPECT_EQ(m.in_channels(), 10);
  EXPECT_EQ(m.out_channels(), 10);
  EXPECT_EQ(m.qkv.weight.cols(), 4 * 3 + 2 * 3 + 2 * 5);
  EXPECT_EQ(m.out.weight.rows(), 4 * 5);
  EXPECT_EQ(m.k_gain.size(), 3);
  const AttentionShape plain = attention_shape({.width = 12, .heads = 3});
  EXPECT_EQ(plain.kv_heads, 3);
  EXPECT_EQ(plain.key_width, 4);
  EXPECT_EQ(plain.value_width, 4);
  EXPECT_EQ(plain.score_scale(), 0.5);
}

TEST(Attention, Names) {
  EXPECT_EQ(parameter_names(Attention<float>({.width = 4, .heads = 1, .qk_norm = true})),
            (std::vector<std::string>{"qkv.weight", "qkv.bias", "q_norm.gain", "k_norm.gain", "out.weight", "out.bias"}));
}

}  // namespace
}  // namespace megalith::tests

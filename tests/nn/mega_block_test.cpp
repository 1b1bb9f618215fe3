// SPDX-License-Identifier: Apache-2.0
// MEGA's block beside its equations, written out number by number.
#include "megalith/nn/mega_block.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "support/forward.h"

namespace megalith::tests {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double silu_of(double x) { return x * sigmoid(x); }

Row linear(const Linear<double>& m, const Row& x) {
  Row y(static_cast<std::size_t>(m.out_channels()));
  for (std::size_t j = 0; j < y.size(); ++j) {
    y[j] = m.bias.empty() ? 0 : m.bias.data()[j];
    for (std::size_t i = 0; i < x.size(); ++i) y[j] += x[i] * m.weight.row(static_cast<Index>(i))[j];
  }
  return y;
}

/// LayerNorm, whose eps is 1e-5.
Row layer_norm(const Norm<double>& m, const Row& x) {
  const double n = static_cast<double>(x.size());
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / n;
  for (const double v : x) variance += (v - mean) * (v - mean) / n;
  Row y = x;
  for (std::size_t c = 0; c < x.size(); ++c)
    y[c] = (x[c] - mean) / std::sqrt(variance + 1e-5) * m.layer.gain.data()[c] + m.layer.bias.data()[c];
  return y;
}

/// Ma et al. 2022, 3.1.
Rows moving_average(const RealEma<double>& m, const Rows& x) {
  Rows y = x;
  for (std::size_t c = 0; c < x[0].size(); ++c) {
    const auto N = static_cast<std::size_t>(m.states());
    Row h(N);
    for (std::size_t t = 0; t < x.size(); ++t) {
      y[t][c] = m.omega.data()[c] * x[t][c];
      for (std::size_t n = 0; n < N; ++n) {
        const double p = sigmoid(m.alpha.data()[c * N + n]);
        h[n] = (1 - p * sigmoid(m.delta.data()[c * N + n])) * h[n] + p * m.beta.data()[c * N + n] * x[t][c];
        y[t][c] += m.gamma.data()[c * N + n] / std::sqrt(static_cast<double>(N)) * h[n];
      }
    }
  }
  return y;
}

/// A vector of pairs (n, n + Z/2) turned by its position.
Row rotated(const Tensor<double>& v, std::size_t position, double base) {
  const auto Z = static_cast<std::size_t>(v.size()), half = Z / 2;
  Row y(Z);
  for (std::size_t n = 0; n < half; ++n) {
    const double angle =
        static_cast<double>(position) * std::pow(base, -2 * static_cast<double>(n) / static_cast<double>(Z));
    y[n] = v.data()[n] * std::cos(angle) - v.data()[half + n] * std::sin(angle);
    y[half + n] = v.data()[half + n] * std::cos(angle) + v.data()[n] * std::sin(angle);
  }
  return y;
}

double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Between positions i and j <= i of a chunk.
double bias_between(const RelativeBias<double>& m, std::size_t i, std::size_t j) {
  if (m.kind == RelativeBiasKind::none) return 0;
  if (m.kind == RelativeBiasKind::simple) return m.table.data()[i - j];
  return dot(rotated(m.alpha, i, m.base), rotated(m.beta, j, m.base));
}

/// The weights of the keys before and at a position, from their products with its query and their biases.
Row weights(AttentionFunction f, const Row& products, const Row& biases, std::size_t Z) {
  const double n = static_cast<double>(products.size());
  Row w = products;
  double sum = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    const double x = products[j] / (f == AttentionFunction::softmax ? std::sqrt(static_cast<double>(Z)) : n) + biases[j];
    if (f == AttentionFunction::softmax) w[j] = std::exp(x);
    else if (f == AttentionFunction::relu_squared) w[j] = x > 0 ? x * x : 0;
    else w[j] = (1 + std::erf((x - std::sqrt(0.5)) / std::sqrt(2 / (4 * std::numbers::pi)))) / 2;
    sum += w[j];
  }
  if (f == AttentionFunction::softmax)
    for (double& v : w) v /= sum;
  return w;
}

/// What a channel of `row` is, from `first` on.
Row some(const Row& row, std::size_t first, std::size_t count) {
  return {row.begin() + static_cast<std::ptrdiff_t>(first), row.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

Rows each(const Rows& x, const std::function<Row(const Row&)>& f) {
  Rows y;
  for (const Row& row : x) y.push_back(f(row));
  return y;
}

Rows mega(const MegaBlock<double>& block, const Rows& x) {
  const MegaAttention<double>& m = block.attention;
  const std::size_t D = x[0].size(), Z = static_cast<std::size_t>(m.heads.channels());
  const std::size_t E = static_cast<std::size_t>(m.out.in_channels()),
                    chunk = static_cast<std::size_t>(m.core.shape.mask.size);
  const auto norm = [&](const Norm<double>& n) { return [&](const Row& row) { return layer_norm(n, row); }; };
  const auto silu = [](Row row) {
    for (double& v : row) v = silu_of(v);
    return row;
  };
  const Rows t = m.pre_norm ? each(x, norm(m.norm)) : x;
  const Rows projected = each(moving_average(m.average, t), [&](const Row& row) { return linear(m.projection, silu(row)); });
  const Rows v = each(t, [&](const Row& row) { return silu(linear(m.values, row)); });
  const auto scaled = [&](Index of) {
    return each(projected, [&](const Row& row) {
      Row z = silu(some(row, D, Z));
      for (std::size_t c = 0; c < Z; ++c) z[c] = z[c] * m.heads.gain.row(of)[c] + m.heads.bias.row(of)[c];
      return z;
    });
  };
  const Rows q = scaled(0), k = scaled(1);
  Rows y = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t first = i / chunk * chunk;
    Row products, biases;
    for (std::size_t j = first; j <= i; ++j) {
      products.push_back(dot(q[i], k[j]));
      biases.push_back(bias_between(m.relative_bias, i - first, j - first));
    }
    const Row w = weights(m.function, products, biases, Z), reset = silu(some(projected[i], D + Z, E));
    Row o(E);
    for (std::size_t j = first; j <= i; ++j)
      for (std::size_t e = 0; e < E; ++e) o[e] += w[j - first] * v[j][e] * reset[e];
    const Row gated = linear(m.out, o);
    for (std::size_t c = 0; c < D; ++c) {
      const double update = sigmoid(projected[i][c]), h = silu_of(projected[i][D + Z + E + c] + gated[c]);
      y[i][c] = update * h + (1 - update) * x[i][c];
    }
  }
  if (!m.pre_norm) y = each(y, norm(m.norm));
  const Rows branch = each(m.pre_norm ? each(y, norm(block.norm)) : y, [&](const Row& row) {
    return linear(block.feed_forward.down, silu(linear(block.feed_forward.up, row)));
  });
  for (std::size_t i = 0; i < y.size(); ++i)
    for (std::size_t c = 0; c < D; ++c) y[i][c] += branch[i][c];
  return m.pre_norm ? y : each(y, norm(block.norm));
}

TEST(MegaBlock, IsItsEquations) {
  constexpr Index D = 5, T = 75;
  for (const auto function : {AttentionFunction::softmax, AttentionFunction::laplace, AttentionFunction::relu_squared})
    for (const auto bias : {RelativeBiasKind::none, RelativeBiasKind::simple, RelativeBiasKind::rotary})
      for (const bool pre_norm : {true, false})
        for (const Index chunk : {Index{4}, Index{33}, Index{2048}}) {  // by rows, and in tiles
          SCOPED_TRACE("function " + std::to_string(static_cast<int>(function)) + ", bias " +
                       std::to_string(static_cast<int>(bias)) + ", chunk " + std::to_string(chunk) +
                       (pre_norm ? "" : ", norms last"));
          MegaBlock<double> m({.width = D,
                               .block = MegaConfig{.qk_width = 6,
                                                   .value_width = 7,
                                                   .hidden = 8,
                                                   .chunk = chunk,
                                                   .states = 3,
                                                   .attention = function,
                                                   .relative_bias = bias,
                                                   .rotary_base = 50,
                                                   .pre_norm = pre_norm}});
          testing::fill_parameters(m, {1});
          const Tensor<double> x = noise({1, T, D});
          const Tensor<double> y = forward(m, x);
          Rows rows;
          for (Index t = 0; t < T; ++t) rows.emplace_back(x.row(t), x.row(t) + D);
          const Rows expected = mega(m, rows);
          for (Index t = 0; t < T; ++t)
            for (Index c = 0; c < D; ++c)
              ASSERT_NEAR(y.row(t)[c], expected[static_cast<std::size_t>(t)][static_cast<std::size_t>(c)], 1e-11)
                  << "position " << t << ", channel " << c;
        }
}

TEST(MegaBlock, ItsPartsAreThoseOfTheStack) {
  StackConfig stack{.width = 20, .bias = false, .dropout = 0.1, .recompute = true, .block = MegaConfig{}};
  const auto c = stack.block.as<MegaConfig>().with_defaults(stack);
  EXPECT_EQ(c.qk_width, 6) << "a quarter, and even";
  EXPECT_EQ(c.value_width, 40);
  EXPECT_EQ(c.hidden, 40);
  EXPECT_EQ(c.rotary_base, 10000);
  EXPECT_EQ((MegaConfig{.relative_bias = RelativeBiasKind::simple}.with_defaults(stack).rotary_base), 0);
  MegaBlock<double> m(stack);
  EXPECT_TRUE(m.feed_forward.recompute);
  EXPECT_TRUE(m.feed_forward.up.bias.empty() && m.attention.projection.bias.empty() && m.attention.values.bias.empty());
  EXPECT_EQ(m.dropout.rate, 0.1);
  EXPECT_EQ(m.attention.dropout.rate, 0.1);
  EXPECT_EQ(parameter_count(MegaBlock<double>::final_norm(stack)), 40);
  stack.block.as<MegaConfig>().pre_norm = false;
  EXPECT_EQ(parameter_count(MegaBlock<double>::final_norm(stack)), 0) << "the block ends with a norm itself";
  const Tensor<double> x = noise({2, 3, 20});
  EXPECT_EQ(testing::bit_error(forward(MegaBlock<double>::final_norm(stack), x), x), 0);
}

TEST(MegaBlock, FirstValues) {
  MegaBlock<double> m({.width = 64, .block = MegaConfig{.chunk = 500, .relative_bias = RelativeBiasKind::simple}});
  m.init({3}, {.residual = 0});
  const auto deviation = [](const Tensor<double>& t) {
    return std::sqrt(t.vec().array().square().sum() / static_cast<double>(t.size()));
  };
  // A normal distribution that is truncated at two deviations has 0.88 of one.
  EXPECT_NEAR(deviation(m.attention.heads.gain), 0.0176, 0.004);
  EXPECT_NEAR(deviation(m.attention.relative_bias.table), 0.0176, 0.002);
  EXPECT_EQ(deviation(m.attention.heads.bias), 0);
  EXPECT_EQ(deviation(m.attention.out.weight), 0);
  EXPECT_GT(deviation(m.attention.projection.weight), 0.1);
}

}  // namespace
}  // namespace megalith::tests

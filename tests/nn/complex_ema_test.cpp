// SPDX-License-Identifier: Apache-2.0
// Moving averages beside their equations.
#include "megalith/nn/complex_ema.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "megalith/nn/real_ema.h"
#include "support/forward.h"

namespace megalith::tests {
namespace {

double sigma(double x) { return 1 / (1 + std::exp(-x)); }

TEST(ComplexEma, IsItsEquations) {
  constexpr Index D = 3, N = 5, T = 150;  // in more than one piece
  ComplexEma<double> m(D, N);
  testing::fill_parameters(m, {1});
  Tensor<double> x({1, T, D});
  testing::fill_noise(x, {2});
  const Tensor<double> y = forward(m, x);
  for (Index d = 0; d < D; ++d) {
    std::complex<double> h[N]{};
    for (Index t = 0; t < T; ++t) {
      double expected = m.omega.data()[d] * x.row(t)[d];
      for (Index n = 0; n < N; ++n) {
        const double p = sigma(m.alpha.row(d)[n]), share = sigma(m.delta.row(d)[n]);
        const double angle = static_cast<double>(n + 1) * sigma(m.theta.data()[d]) * 2 * std::numbers::pi / N;
        const double* const g = m.gamma.data() + 2 * (d * N + n);
        h[n] = std::polar(1 - p * share, angle) * h[n] + p * x.row(t)[d];
        expected += (std::complex<double>(g[0], g[1]) / std::sqrt(static_cast<double>(N)) * h[n]).real();
      }
      EXPECT_NEAR(y.row(t)[d], expected, 1e-12) << "position " << t << ", channel " << d;
    }
  }
}

TEST(RealEma, IsItsEquations) {
  constexpr Index D = 2, N = 3, T = 70;
  RealEma<double> m(D, N);
  testing::fill_parameters(m, {1});
  Tensor<double> x({1, T, D});
  testing::fill_noise(x, {2});
  const Tensor<double> y = forward(m, x);
  for (Index d = 0; d < D; ++d) {
    double h[N]{};
    for (Index t = 0; t < T; ++t) {
      double expected = m.omega.data()[d] * x.row(t)[d];
      for (Index n = 0; n < N; ++n) {
        const double p = sigma(m.alpha.row(d)[n]), share = sigma(m.delta.row(d)[n]);
        h[n] = (1 - p * share) * h[n] + p * m.beta.row(d)[n] * x.row(t)[d];
        expected += m.gamma.row(d)[n] / std::sqrt(static_cast<double>(N)) * h[n];
      }
      EXPECT_NEAR(y.row(t)[d], expected, 1e-12) << "position " << t << ", channel " << d;
    }
  }
}

// Far logits: p and q are 0 or 1, and the sums stay finite.
TEST(ComplexEma, FarLogitsStayFinite) {
  constexpr Index T = 100000;
  for (const float alpha : {-40.0f, 40.0f}) {
    for (const float delta : {-40.0f, 40.0f}) {
      ComplexEma<float> m(4, 2), grad = m;
      set_zero(grad);
      m.init({3}, {});
      m.alpha.fill(alpha);
      m.delta.fill(delta);
      Tensor<float> x({1, T, 4}), y = x, dx = x;
      x.fill(1);
      Workspace workspace(2);
      ComplexEma<float>::State none(m, 1);
      ComplexEma<float>::Tape tape(m, {1, T});
      m.forward(Context(workspace), testing::view(x), testing::view(y), none, tape);
      m.backward(Context(workspace), testing::view(x), testing::view(x), testing::view(dx), grad, none, tape);
      EXPECT_TRUE(y.vec().allFinite()) << alpha << ", " << delta;
      EXPECT_TRUE(dx.vec().allFinite()) << alpha << ", " << delta;
      for_each_parameter(grad, [&](const Name& name, const Tensor<float>& g) {
        EXPECT_TRUE(g.vec().allFinite()) << name.str() << ", " << alpha << ", " << delta;
      });
    }
  }
}

TEST(ComplexEma, FirstValuesAreTheAuthors) {
  ComplexEma<double> m(64, 16);
  m.init({1}, {});
  double lowest = 1, highest = 0;
  for (const double t : m.theta.span()) {
    lowest = std::min(lowest, sigma(t));
    highest = std::max(highest, sigma(t));
  }
  EXPECT_NEAR(lowest, 1.0 / 64, 1e-12);
  EXPECT_NEAR(highest, std::pow(64, -1.0 / 64), 1e-12);
  EXPECT_LT(m.alpha.vec().cwiseAbs().maxCoeff(), 0.4 + 1e-12);
}

}  // namespace
}  // namespace megalith::tests

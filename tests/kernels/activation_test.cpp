// SPDX-License-Identifier: Apache-2.0
// Values known from elsewhere; derivatives come under the module tests of FeedForward.
#include "megalith/kernels/activation.h"

#include <gtest/gtest.h>

#include <array>

namespace megalith {
namespace {

const std::array<double, 4> kX{-2, 0, 0.5, 3};

template <class A>
std::array<double, 4> apply() {
  std::array<double, 4> y{};
  A::template forward<double>(row_map(kX.data(), 4), row_map(y.data(), 4));
  return y;
}

TEST(Activation, KnownValues) {
  EXPECT_EQ(apply<Relu>(), (std::array<double, 4>{0, 0, 0.5, 3}));
  EXPECT_EQ(apply<ReluSquared>(), (std::array<double, 4>{0, 0, 0.25, 9}));
  const auto gelu = apply<Gelu>();  // by the formula, in Python
  EXPECT_NEAR(gelu[0], -0.04540230591222494, 1e-12);
  EXPECT_EQ(gelu[1], 0);
  EXPECT_NEAR(gelu[2], 0.34571400982514394, 1e-12);
  EXPECT_NEAR(gelu[3], 2.996362607918227, 1e-12);
}

TEST(Activation, SwiGluGatesTheValue) {
  const std::array<double, 4> value{1, 2, 4, -1};
  std::array<double, 4> y{};
  SwiGlu::forward<double>(row_map(kX.data(), 4), row_map(value.data(), 4), row_map(y.data(), 4));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], kX[i] / (1 + std::exp(-kX[i])) * value[i], 1e-14);
}

TEST(Activation, SwiGluOfLargeGatesIsFinite) {
  const std::array<float, 2> gate{-200, 200}, value{1, 1}, dy{1, 1};
  std::array<float, 2> y{}, dgate{}, dvalue{};
  SwiGlu::forward<float>(row_map(gate.data(), 2), row_map(value.data(), 2), row_map(y.data(), 2));
  SwiGlu::backward<float>(row_map(gate.data(), 2), row_map(value.data(), 2), row_map(dy.data(), 2), row_map(dgate.data(), 2),
                          row_map(dvalue.data(), 2));
  EXPECT_NEAR(y[0], 0, 1e-20f);
  EXPECT_EQ(y[1], 200);
  for (const float v : {dgate[0], dgate[1], dvalue[0], dvalue[1]}) EXPECT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace megalith

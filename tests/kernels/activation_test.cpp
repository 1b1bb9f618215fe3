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
  const auto silu = apply<Silu>();  // likewise
  EXPECT_NEAR(silu[0], -0.2384058440442351, 1e-12);
  EXPECT_EQ(silu[1], 0);
  EXPECT_NEAR(silu[2], 0.3112296656009273, 1e-12);
  EXPECT_NEAR(silu[3], 2.8577223804673, 1e-12);
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

TEST(WithActivation, CallsTheOneThatIsAskedFor) {
  for (const Activation kind : {Activation::relu, Activation::gelu, Activation::relu_squared, Activation::swiglu,
                                Activation::silu}) {
    int calls = 0;
    with_activation(kind, [&]<class A>(A) {
      ++calls;
      EXPECT_EQ(A::kKind, kind);
      EXPECT_EQ(ActivationList::kNames.at(static_cast<std::size_t>(kind)), A::kName);
      EXPECT_EQ(is_gated(kind), A::kGated);
    });
    EXPECT_EQ(calls, 1);
  }
  EXPECT_TRUE(is_gated(Activation::swiglu));
  EXPECT_EQ(ActivationList::kNames[2], "relu_squared");
}

TEST(ActivationForward, TakesGatesFirst) {
  const std::array<double, 6> hidden{1, 2, 3, 4, 5, 6};
  std::array<double, 3> y{}, expected{};
  activation_forward<SwiGlu>(hidden.data(), row_map(y.data(), 3));
  SwiGlu::forward<double>(row_map(hidden.data(), 3), row_map(hidden.data() + 3, 3), row_map(expected.data(), 3));
  EXPECT_EQ(y, expected);
}

}  // namespace
}  // namespace megalith

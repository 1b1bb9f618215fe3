// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/cross_entropy.h"

#include <gtest/gtest.h>

#include "megalith/testing/dual.h"
#include "megalith/testing/sample.h"

namespace megalith {
namespace {

constexpr Index kRows = 70;

struct Logits {
  Tensor<double> z;
  std::vector<std::uint8_t> bytes;

  Logits() : z({1, kRows, kByteValues}), bytes(kRows) {
    testing::fill_noise(z, {1});
    z.vec() *= 20;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random_bits({2}, i));
  }
};

TEST(CrossEntropy, IsMinusTheLogOfTheSoftmax) {
  Workspace workspace(2);
  const Context ctx(workspace);
  const Logits l;
  Tensor<double> z = l.z, losses({kRows});
  cross_entropy_forward<double>(ctx, testing::view(z), l.bytes.data(), losses.data());
  for (Index i = 0; i < kRows; ++i) {
    const auto row = l.z.mat().row(i).array();
    const double p = std::exp(row(l.bytes[static_cast<std::size_t>(i)])) / row.exp().sum();
    EXPECT_NEAR(losses.data()[i], -std::log(p), 1e-12);
  }
}

TEST(CrossEntropy, LargeLogitsAreFinite) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Tensor<float> z({1, 2, kByteValues}), losses({2});
  z.data()[7] = 1000;
  z.data()[kByteValues + 7] = -1000;
  const std::uint8_t bytes[] = {7, 7};
  Tensor<float> again = z;
  cross_entropy_forward<float>(ctx, testing::view(again), bytes, losses.data());
  EXPECT_EQ(losses.data()[0], 0);
  EXPECT_NEAR(losses.data()[1], 1000 + std::log(255.0f), 1e-3f);
  cross_entropy_backward<float>(ctx, testing::view(z), bytes, 1, 0, losses.data());
  EXPECT_TRUE(z.vec().allFinite());
  EXPECT_EQ(losses.data()[0], 0);
}

TEST(CrossEntropy, GradientMatchesDualNumbers) {
  using testing::Dual;
  Workspace workspace(2);
  const Context ctx(workspace);
  const Logits l;
  for (const double cap : {0.0, 3.0}) {
    Tensor<double> z = l.z, losses({kRows}), same = losses;
    cap_logits<double>(ctx, testing::view(z), cap);
    Tensor<double> d = z;
    cross_entropy_backward<double>(ctx, testing::view(d), l.bytes.data(), 0.5, cap, losses.data());
    cross_entropy_forward<double>(ctx, testing::view(z), l.bytes.data(), same.data());
    EXPECT_EQ(testing::bit_error(losses, same), 0);
    Tensor<Dual> dz({1, kRows, kByteValues}), dlosses({kRows});
    Tensor<double> v = l.z;
    testing::fill_noise(v, {3});
    for (Index i = 0; i < dz.size(); ++i) dz.data()[i] = {l.z.data()[i], v.data()[i]};
    cap_logits<Dual>(ctx, testing::view(dz), cap);
    cross_entropy_forward<Dual>(ctx, testing::view(dz), l.bytes.data(), dlosses.data());
    double left = 0;
    for (const Dual& loss : dlosses.span()) left += 0.5 * loss.derivative;
    EXPECT_NEAR(d.vec().dot(v.vec()), left, 1e-12) << "cap " << cap;
  }
}

TEST(CapLogits, IsATanhNearTheCapAndNothingWithoutOne) {
  Workspace workspace(1);
  const Context ctx(workspace);
  const Logits l;
  Tensor<double> z = l.z;
  cap_logits<double>(ctx, testing::view(z), 0);
  EXPECT_EQ(testing::bit_error(z, l.z), 0);
  cap_logits<double>(ctx, testing::view(z), 3);
  for (Index i = 0; i < z.size(); ++i) EXPECT_NEAR(z.data()[i], 3 * std::tanh(l.z.data()[i] / 3), 1e-13);
}

}  // namespace
}  // namespace megalith

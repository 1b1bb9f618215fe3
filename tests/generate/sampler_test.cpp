// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

constexpr std::size_t kV = kByteValues;

/// Logits whose softmax gives bytes 10, 20, 30, 40 the probabilities 0.4, 0.3, 0.2, 0.1.
std::vector<float> four_bytes() {
  std::vector<float> z(kV, -std::numeric_limits<float>::infinity());
  for (const int i : {1, 2, 3, 4}) z[static_cast<std::size_t>(i) * 10] = static_cast<float>(std::log(0.5 - 0.1 * i)) + 7;
  return z;
}

/// How often each byte comes in n draws, as shares.
std::array<double, kV> shares(const std::vector<float>& logits, const SamplingConfig& config, int n = 5000) {
  std::array<double, kV> shares{};
  for (int i = 0; i < n; ++i) shares[sample(logits, config, RandomKey{3}, static_cast<std::uint64_t>(i))] += 1.0 / n;
  return shares;
}

void expect_shares(const SamplingConfig& config, std::array<double, 4> expected) {
  const std::array<double, kV> got = shares(four_bytes(), config);
  double others = 1;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(got[10 * (i + 1)], expected[i], expected[i] == 0 ? 0 : 0.025) << i;
    others -= got[10 * (i + 1)];
  }
  EXPECT_NEAR(others, 0, 1e-9);
}

TEST(Sampler, DrawsTheDistribution) { expect_shares({}, {0.4, 0.3, 0.2, 0.1}); }

TEST(Sampler, Temperature) {
  // Probabilities to the power 1 / 0.5, normalised.
  expect_shares({.temperature = 0.5}, {16.0 / 30, 9.0 / 30, 4.0 / 30, 1.0 / 30});
  expect_shares({.temperature = 1e-3}, {1, 0, 0, 0});
}

TEST(Sampler, TopK) {
  expect_shares({.top_k = 1}, {1, 0, 0, 0});
  expect_shares({.top_k = 2}, {4.0 / 7, 3.0 / 7, 0, 0});
  expect_shares({.top_k = 256}, {0.4, 0.3, 0.2, 0.1});
}

TEST(Sampler, TopP) {
  expect_shares({.top_p = 0.1}, {1, 0, 0, 0});
  expect_shares({.top_p = 0.41}, {4.0 / 7, 3.0 / 7, 0, 0});  // the byte that crosses the border is in
  expect_shares({.top_p = 0.69}, {4.0 / 7, 3.0 / 7, 0, 0});
  expect_shares({.top_p = 0.71}, {4.0 / 9, 3.0 / 9, 2.0 / 9, 0});
  expect_shares({.top_k = 2, .top_p = 0.56}, {1, 0, 0, 0});  // of what top_k left, the first has 0.571
}

TEST(Sampler, MinP) {
  expect_shares({.min_p = 0.6}, {4.0 / 7, 3.0 / 7, 0, 0});
  expect_shares({.min_p = 0.2}, {0.4, 0.3, 0.2, 0.1});
  expect_shares({.min_p = 1}, {1, 0, 0, 0});
}

TEST(Sampler, TemperatureZeroTakesTheLikeliest) {
  std::vector<float> z = four_bytes();
  EXPECT_EQ(sample(z, {.temperature = 0}, RandomKey{1}, 0), 10);
  z[5] = z[10];  // of equals, the smaller
  EXPECT_EQ(sample(z, {.temperature = 0}, RandomKey{1}, 0), 5);
}

TEST(Sampler, RepetitionPenalty) {
  std::vector<float> z(kV, 0.5f);
  z[1] = 3;
  z[2] = -3;
  z[3] = 0;
  std::vector<float> expected = z;
  expected[1] = 2;
  expected[2] = -4.5f;
  RecentBytes recent(10);
  const std::vector<std::uint8_t> bytes{1, 2, 2, 3, 1, 1};  // how often does not count
  recent.add(bytes);
  penalise_repetition(z, recent, 1.5);
  EXPECT_EQ(z, expected);
}

TEST(Sampler, RecentBytesForget) {
  const auto values = [](const RecentBytes& recent) {
    std::vector<int> all;
    for (int v = 0; v < 256; ++v)
      if (recent.contains(static_cast<std::uint8_t>(v))) all.push_back(v);
    return all;
  };
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 40; ++i) bytes.push_back(static_cast<std::uint8_t>(i * i % 11 + 250));  // 260 wraps
  for (const std::size_t window : {1u, 2u, 7u, 39u, 40u, 100u}) {
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
      RecentBytes at_once(static_cast<Index>(window)), one_by_one(static_cast<Index>(window));
      at_once.add(std::span(bytes).first(n));
      for (std::size_t i = 0; i < n; ++i) one_by_one.add({&bytes[i], 1});
      const std::size_t first = n > window ? n - window : 0;
      const std::set<int> expected(bytes.begin() + static_cast<Index>(first), bytes.begin() + static_cast<Index>(n));
      EXPECT_EQ(values(at_once), std::vector<int>(expected.begin(), expected.end())) << window << " " << n;
      EXPECT_EQ(values(one_by_one), values(at_once)) << window << " " << n;
    }
  }
}

TEST(Sampler, KeyAndCounterDecide) {
  const std::vector<float> z(kV, 0.0f);
  std::vector<int> differ(2);
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(sample(z, {}, RandomKey{1}, i), sample(z, {}, RandomKey{1}, i));
    differ[0] += sample(z, {}, RandomKey{1}, i) != sample(z, {}, RandomKey{2}, i);
    differ[1] += sample(z, {}, RandomKey{1}, i) != sample(z, {}, RandomKey{1}, i + 1);
  }
  EXPECT_GT(differ[0], 40);
  EXPECT_GT(differ[1], 40);
}

TEST(Sampler, LargeLogitsDoNotOverflow) {
  std::vector<float> z(kV, -3e38f);
  z[7] = 3e38f;
  EXPECT_EQ(sample(z, {}, RandomKey{1}, 0), 7);
  EXPECT_EQ(sample(z, {.temperature = 1e-30}, RandomKey{1}, 0), 7);
}

TEST(Sampler, Errors) {
  std::vector<float> z = four_bytes();
  z[200] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_ERROR(sample(z, {}, RandomKey{1}, 0), "not a number");
  EXPECT_ERROR(sample(z, {.temperature = 0}, RandomKey{1}, 0), "not a number");
  z[200] = std::numeric_limits<float>::infinity();
  EXPECT_ERROR(sample(z, {}, RandomKey{1}, 0), "not a number");
  EXPECT_ERROR(SamplingConfig{.temperature = -1}.validate(), "temperature");
  EXPECT_ERROR(SamplingConfig{.top_k = 257}.validate(), "top_k");
  EXPECT_ERROR(SamplingConfig{.top_p = 0}.validate(), "top_p");
  EXPECT_ERROR((SamplingConfig{.top_k = -1, .min_p = 2}.validate()), "min_p is 2");
  EXPECT_ERROR(SamplingConfig{.repetition_penalty = 0}.validate(), "repetition_penalty");
  EXPECT_ERROR(SamplingConfig{.repetition_window = 0}.validate(), "repetition_window is 0");
  EXPECT_ERROR(SamplingConfig{.repetition_window = (1 << 20) + 1}.validate(), "1048576");
  EXPECT_NO_THROW(SamplingConfig{}.validate());
}

}  // namespace
}  // namespace megalith

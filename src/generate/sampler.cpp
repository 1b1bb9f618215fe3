// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/sampler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

#include "megalith/core/check.h"
#include "megalith/core/problems.h"

namespace megalith {

void SamplingConfig::validate() const {
  Problems problems;
  problems.require(repetition_penalty >= 0.01 && repetition_penalty <= 100, "repetition_penalty", repetition_penalty,
                   "from 0.01 to 100");
  problems.require(repetition_window >= 1 && repetition_window <= kMaxRepetition, "repetition_window", repetition_window,
                   "from 1 to ", kMaxRepetition);
  problems.not_negative("temperature", temperature);
  problems.require(top_k >= 0 && top_k <= kByteValues, "top_k", top_k, "from 0 to ", kByteValues);
  problems.require(top_p > 0 && top_p <= 1, "top_p", top_p, "above 0, up to 1");
  problems.require(min_p >= 0 && min_p <= 1, "min_p", min_p, "from 0 to 1");
  problems.report();
}

void penalise_repetition(std::span<float> logits, const RecentBytes& recent, double penalty) {
  assert(logits.size() == kByteValues);
  for (std::size_t v = 0; v < logits.size(); ++v) {
    if (!recent.contains(static_cast<std::uint8_t>(v))) continue;
    const double z = static_cast<double>(logits[v]);
    logits[v] = static_cast<float>(z > 0 ? z / penalty : z * penalty);
  }
}

std::uint8_t sample(std::span<const float> logits, const SamplingConfig& config, RandomKey key, std::uint64_t counter) {
  assert(logits.size() == kByteValues);
  const bool numbers = std::none_of(logits.begin(), logits.end(), [](float z) { return std::isnan(z); });
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  check(numbers && std::isfinite(*likeliest), "the model's output is not a number; its weights are damaged");
  if (config.temperature == 0) return static_cast<std::uint8_t>(likeliest - logits.begin());

  std::array<std::uint8_t, kByteValues> order;  // byte values; the most likely first where a limit needs it
  std::iota(order.begin(), order.end(), std::uint8_t{0});
  if (config.top_k > 0 || config.top_p < 1)
    std::sort(order.begin(), order.end(),
              [&](std::uint8_t a, std::uint8_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });

  std::size_t n = config.top_k > 0 ? static_cast<std::size_t>(config.top_k) : order.size();
  std::array<double, kByteValues> p;  // of order[i], not normalised: the most likely has 1
  for (std::size_t i = 0; i < n; ++i)
    p[i] = std::exp((static_cast<double>(logits[order[i]]) - static_cast<double>(*likeliest)) / config.temperature);
  if (config.top_p < 1) {
    const double wanted = config.top_p * std::accumulate(p.data(), p.data() + n, 0.0);
    double reached = 0;
    std::size_t taken = 0;
    while (taken < n && reached < wanted) reached += p[taken++];
    n = taken;
  }
  for (std::size_t i = 0; i < n; ++i)
    if (p[i] < config.min_p) p[i] = 0;

  double left = random_uniform(key, counter) * std::accumulate(p.data(), p.data() + n, 0.0);
  std::uint8_t byte = 0;
  for (std::size_t i = 0; i < n && left >= 0; ++i) {
    if (p[i] == 0) continue;  // rounding may leave a remainder, which a byte that cannot come must not get
    byte = order[i];
    left -= p[i];
  }
  return byte;
}

}  // namespace megalith

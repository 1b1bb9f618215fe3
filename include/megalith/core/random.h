// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: a number is a function of a key and a counter alone, so it does not depend on threads or
// tiles, nor on where a run was stopped and resumed.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "megalith/core/shape.h"

namespace megalith {

/// Names a stream of random numbers. The streams of a key and of all its children are independent.
struct RandomKey {
  std::uint64_t value = 0;

  RandomKey child(std::uint64_t i) const {
    // The finaliser of SplitMix64 (Steele, Lea & Flood 2014) over parent and index.
    std::uint64_t z = value + 0x9E3779B97F4A7C15ull * (i + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return {z ^ (z >> 31)};
  }
  bool operator==(const RandomKey&) const = default;
};

/// Four random words for a counter: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
inline std::array<std::uint32_t, 4> random_words(RandomKey key, std::uint64_t high, std::uint64_t low) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key.value), k1 = static_cast<std::uint32_t>(key.value >> 32);
  std::uint32_t c0 = static_cast<std::uint32_t>(low), c1 = static_cast<std::uint32_t>(low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(high), c3 = static_cast<std::uint32_t>(high >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c0;
    const std::uint64_t p1 = 0xCD9E8D57ull * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

/// 64 random bits for a counter.
inline std::uint64_t random_bits(RandomKey key, std::uint64_t counter) {
  const auto w = random_words(key, 0, counter);
  return (static_cast<std::uint64_t>(w[0]) << 32) | w[1];
}

/// Uniform in [0, 1), 53 bits.
inline double random_uniform(RandomKey key, std::uint64_t counter) {
  return static_cast<double>(random_bits(key, counter) >> 11) * 0x1.0p-53;
}

/// Uniform in [0, n). The bias of the multiplication is below n / 2^64.
inline Index random_below(RandomKey key, std::uint64_t counter, Index n) {
  __extension__ typedef unsigned __int128 Product;  // no standard type, which -Wpedantic of a program would remark
  return static_cast<Index>((static_cast<Product>(random_bits(key, counter)) * static_cast<std::uint64_t>(n)) >> 64);
}

/// Standard normal, truncated to [-2, 2] by rejection.
inline double random_truncated_normal(RandomKey key, std::uint64_t counter) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    const auto w = random_words(key, attempt + 1, counter);
    const double u = (static_cast<double>(w[0]) + 0.5) * 0x1.0p-32;
    const double v = (static_cast<double>(w[1]) + 0.5) * 0x1.0p-32;
    const double z = std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
    if (std::abs(z) <= 2) return z;
  }
}

}  // namespace megalith

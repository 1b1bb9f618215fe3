// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best. Each call measures one short window; whoever wants the limit takes the best of several,
// spread over time, since a machine may be shared.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "machine_peaks.h"
#include "megalith/kernels/gemm.h"

namespace megalith::bench {

using Packet = Eigen::internal::packet_traits<float>::type;
inline constexpr int kLanes = Eigen::internal::packet_traits<float>::size;

/// The peak of bf16: of tiles, else of pairs, else 0.
inline double bf16_multiply_adds(int threads) {
  if (has_bf16_tiles()) return bf16_tile_multiply_adds(threads);
  return has_bf16_pairs() ? bf16_pair_multiply_adds(threads) : 0;
}

/// Products of bf16 numbers that a product of fp32 numbers takes by tiles (src/kernels/gemm_amx.cpp).
inline constexpr double kTileProducts = 6;

/// Bytes per second of reading the first `bytes` of `data` again and again, a part by each thread.
inline double read_bandwidth(int threads, const std::vector<float>& data, std::size_t bytes, double seconds_at_least) {
  using namespace Eigen::internal;
  const std::size_t part = bytes / sizeof(float) / static_cast<std::size_t>(threads) / 64 * 64;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const auto pass = [&] {
    team_of(threads).parallel_for(threads, [&](Index i, int) {
      const float* at = data.data() + static_cast<std::size_t>(i) * part;
      constexpr std::size_t kSums = 8, kStep = kSums * kLanes;
      Packet sums[kSums];
      for (Packet& sum : sums) sum = pset1<Packet>(0);
      for (std::size_t n = 0; n + kStep <= part; n += kStep) {
#pragma GCC unroll 8
        for (std::size_t s = 0; s < kSums; ++s) sums[s] = padd(sums[s], ploadu<Packet>(at + n + s * kLanes));
      }
      float total = 0;
      for (const Packet& sum : sums) total += predux(sum);
      used[static_cast<std::size_t>(i)] += total;
    });
  };
  pass();
  double seconds = 0, read = 0;
  while (seconds < seconds_at_least) {
    seconds += seconds_of(pass);
    read += static_cast<double>(part * sizeof(float)) * threads;
  }
  use(used[0]);
  return read / seconds;
}

/// Sizes that stand for memory, and for what fits L3.
inline constexpr std::size_t kMemoryBytes = std::size_t{1} << 30, kCacheBytes = std::size_t{8} << 20;

/// The best of all windows so far, per second.
struct Limits {
  double fp32 = 0, bf16 = 0;     // FLOP; bf16 is 0 where the processor has none
  double memory = 0, cache = 0;  // bytes

  /// FLOP of fp32 products: by multiply-adds, or by tiles where products use them.
  double fp32_products() const {
    return has_bf16_tiles() && std::string_view(gemm_backend()) == "AMX" ? std::max(fp32, bf16 / kTileProducts) : fp32;
  }

  /// One more window of each. `data` has kMemoryBytes.
  void measure(int threads, const std::vector<float>& data) {
    fp32 = std::max(fp32, fp32_multiply_adds(threads));
    bf16 = std::max(bf16, bf16_multiply_adds(threads));
    memory = std::max(memory, read_bandwidth(threads, data, kMemoryBytes, 0.1));
    cache = std::max(cache, read_bandwidth(threads, data, kCacheBytes, 0.05));
  }
};
inline std::vector<float> memory_to_read() { return std::vector<float>(kMemoryBytes / sizeof(float), 1.0f); }

}  // namespace megalith::bench

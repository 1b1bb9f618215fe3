// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best: multiply-adds per second in fp32 on all threads, and bytes per second read from memory
// and from the last cache. Prints one line of JSON.
//
//   limits [THREADS]
#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "megalith/runtime/parallel.h"

namespace megalith {
namespace {

using Packet = Eigen::internal::packet_traits<float>::type;
constexpr int kLanes = Eigen::internal::packet_traits<float>::size;
// Enough chains to hide the latency of a multiply-add, few enough for the registers: AVX-512 has 32 of them, AVX2 16.
constexpr int kChains = kLanes >= 16 ? 24 : 12;

constexpr int kWindows = 10;

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// `rounds` multiply-adds in each of the chains. The result is used, so that the compiler cannot leave them out.
float chains(Index rounds) {
  using namespace Eigen::internal;
  Packet sums[kChains];
#pragma GCC unroll 24  // only then do the sums stay in registers
  for (int c = 0; c < kChains; ++c) sums[c] = pset1<Packet>(static_cast<float>(c));
  const Packet factor = pset1<Packet>(0.999f), term = pset1<Packet>(1e-3f);
  for (Index r = 0; r < rounds; ++r) {
#pragma GCC unroll 24
    for (int c = 0; c < kChains; ++c) sums[c] = pmadd(sums[c], factor, term);
  }
  float total = 0;
  for (const Packet& sum : sums) total += predux(sum);
  return total;
}

/// FLOP per second, a multiply-add counting two.
double multiply_adds(int threads) {
  constexpr Index kRounds = 2'000'000;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const double seconds = seconds_of(
      [&] { parallel_for(threads, threads, [&](Index i, int) { used[static_cast<std::size_t>(i)] = chains(kRounds); }); });
  const volatile float keep = used[0];
  (void)keep;
  return 2.0 * kChains * kLanes * static_cast<double>(kRounds) * threads / seconds;
}

/// Bytes per second of reading `bytes` again and again, a part by each thread.
double read_bandwidth(int threads, const std::vector<float>& data, std::size_t bytes, double seconds_at_least) {
  using namespace Eigen::internal;
  const std::size_t part = bytes / sizeof(float) / static_cast<std::size_t>(threads) / 64 * 64;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const auto pass = [&] {
    parallel_for(threads, threads, [&](Index i, int) {
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
  const volatile float keep = used[0];
  (void)keep;
  return read / seconds;
}

int run(int threads) {
  constexpr std::size_t kMemory = std::size_t{1} << 30, kCache = std::size_t{8} << 20;
  const std::vector<float> data(kMemory / sizeof(float), 1.0f);
  double flops = 0, memory = 0, cache = 0;
  for (int window = 0; window < kWindows; ++window) {
    flops = std::max(flops, multiply_adds(threads));
    memory = std::max(memory, read_bandwidth(threads, data, kMemory, 0.1));
    cache = std::max(cache, read_bandwidth(threads, data, kCache, 0.05));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // windows are spread: the machine may be shared
  }
  std::printf("{\"threads\": %d, \"fp32_gflops\": %.1f, \"memory_gbytes\": %.1f, \"cache_gbytes\": %.1f}\n", threads,
              flops / 1e9, memory / 1e9, cache / 1e9);
  return 0;
}

}  // namespace
}  // namespace megalith

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : megalith::available_processors();
  if (threads >= 1) return megalith::run(threads);
  std::fprintf(stderr, "limits: \"%s\" is not a number of threads; usage: limits [THREADS]\n", argv[1]);
  return 2;
}

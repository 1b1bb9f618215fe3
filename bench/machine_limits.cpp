// SPDX-License-Identifier: Apache-2.0
#include "machine_limits.h"

namespace megalith::bench {
namespace {

// Enough chains to hide the latency of a multiply-add, few enough for the registers: AVX-512 has 32 of them, AVX2 16.
constexpr int kChains = kLanes >= 16 ? 24 : 12;

/// `rounds` multiply-adds in each of the chains.
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

}  // namespace

double fp32_multiply_adds(int threads) {
  constexpr Index kRounds = 2'000'000;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const double seconds = seconds_of([&] {
    team_of(threads).parallel_for(threads, [&](Index i, int) { used[static_cast<std::size_t>(i)] = chains(kRounds); });
  });
  use(used[0]);
  return 2.0 * kChains * kLanes * static_cast<double>(kRounds) * threads / seconds;
}

}  // namespace megalith::bench

// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 BF16 where the compiler has it (CMakeLists.txt), and run where the processor has it.
#include <immintrin.h>

#include <vector>

#include "machine_peaks.h"

namespace megalith::bench {
namespace {

constexpr int kChains = 24;

float chains(Index rounds) {
  __m512 sums[kChains];
#pragma GCC unroll 24
  for (int c = 0; c < kChains; ++c) sums[c] = _mm512_set1_ps(static_cast<float>(c));
  const auto operand = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3f800000));  // a pair (0, 1)
  const auto term = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3a800000));
  for (Index r = 0; r < rounds; ++r) {
#pragma GCC unroll 24
    for (int c = 0; c < kChains; ++c) sums[c] = _mm512_dpbf16_ps(sums[c], operand, term);
  }
  float total = 0;
  for (const __m512& sum : sums) total += _mm512_reduce_add_ps(sum);
  return total;
}

}  // namespace

bool has_bf16_pairs() { return __builtin_cpu_supports("avx512bf16") != 0; }

double bf16_pair_multiply_adds(int threads) {
  constexpr Index kRounds = 2'000'000;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const double seconds = seconds_of([&] {
    team_of(threads).parallel_for(threads, [&](Index i, int) { used[static_cast<std::size_t>(i)] = chains(kRounds); });
  });
  use(used[0]);
  return 4.0 * kChains * 16 * static_cast<double>(kRounds) * threads / seconds;
}

}  // namespace megalith::bench

// SPDX-License-Identifier: Apache-2.0
// Compiled for the tiles of AMX where the compiler has them (CMakeLists.txt), and run where processor and system have them.
#include <immintrin.h>

#include "kernels/gemm_kernel.h"
#include "machine_limits.h"

namespace megalith::bench {
namespace {

/// The operand of ldtilecfg: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// `rounds` products in each of four tiles of sums, enough to hide their latency.
float chains(Index rounds) {
  alignas(64) float numbers[16 * 16];
  for (float& number : numbers) number = 1e-3f;  // as a pair of bf16: 1e-3, and next to nothing
  static constexpr TileConfig kConfig;
  _tile_loadconfig(&kConfig);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, numbers, 64);
  _tile_loadd(5, numbers, 64);
  _tile_loadd(6, numbers, 64);
  _tile_loadd(7, numbers, 64);
  for (Index r = 0; r < rounds; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  float total = 0;
  const auto add = [&] { total += numbers[0]; };
  _tile_stored(0, numbers, 64);
  add();
  _tile_stored(1, numbers, 64);
  add();
  _tile_stored(2, numbers, 64);
  add();
  _tile_stored(3, numbers, 64);
  add();
  _tile_release();
  return total;
}

}  // namespace

bool has_bf16_tiles() { return detail::gemm_kernel_amx_bf16() != nullptr; }  // which asks the system for permission

double bf16_tile_multiply_adds(int threads) {
  constexpr Index kRounds = 400'000;
  constexpr double kFlopsPerProduct = 2.0 * 16 * 16 * 32;
  std::vector<float> used(static_cast<std::size_t>(threads));
  const double seconds = seconds_of([&] {
    team_of(threads).parallel_for(threads, [&](Index i, int) { used[static_cast<std::size_t>(i)] = chains(kRounds); });
  });
  use(used[0]);
  return 4 * kFlopsPerProduct * static_cast<double>(kRounds) * threads / seconds;
}

}  // namespace megalith::bench

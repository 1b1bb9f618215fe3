// SPDX-License-Identifier: Apache-2.0
// The arithmetic that this machine can do at best. Files that are compiled for an instruction set which the library may not
// be compiled for include this and nothing of Eigen (megalith/core/instruction_set.h says why).
#pragma once

#include <chrono>
#include <map>

#include "megalith/runtime/parallel.h"

namespace megalith::bench {

inline double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The team that measures with so many threads. It lives on, since a window is too short to start threads in it.
inline Team& team_of(int threads) {
  static std::map<int, Team> teams;
  return teams.try_emplace(threads, threads).first->second;
}

/// FLOP per second of fp32 multiply-adds in registers, each counting two.
double fp32_multiply_adds(int threads);
/// The same of bf16 products with sums in fp32: of tiles of 16 x 16 sums by 32 numbers, where the processor has AMX and the
/// system lends it, and of dot products of pairs, where it has AVX-512 BF16.
bool has_bf16_tiles();
double bf16_tile_multiply_adds(int threads);
bool has_bf16_pairs();
double bf16_pair_multiply_adds(int threads);

/// What the kernel for `threads` threads read for: keeps the compiler from leaving the work out.
inline void use(float value) {
  const volatile float keep = value;
  (void)keep;
}

}  // namespace megalith::bench

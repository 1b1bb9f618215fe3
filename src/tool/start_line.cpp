// SPDX-License-Identifier: Apache-2.0
#include "start_line.h"

#include <cstdio>
#include <string_view>

#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/kernels/gemm.h"

namespace megalith::tool {
namespace {

/// The widest vectors that this program was compiled for.
constexpr std::string_view instruction_set() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__ARM_NEON)
  return "NEON";
#else
  return "the baseline of its processor family";
#endif
}

}  // namespace

std::string start_line(int threads) {
  const std::string line = text(threads, threads == 1 ? " thread, " : " threads, ", gemm_backend(), " products");
  const bool named = std::string_view(gemm_backend()).starts_with(instruction_set());
  return named ? line : text(line, ", the rest compiled for ", instruction_set());
}

void say_what_computes(int threads) {
  std::fprintf(stderr, "megalith %s: %s\n", kLibraryVersion, start_line(threads).c_str());
}

}  // namespace megalith::tool

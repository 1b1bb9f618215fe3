// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best: multiply-adds per second in fp32 and in bf16 on all threads, and bytes per second read
// from memory and from the last cache: the best of ten windows spread over some seconds. Prints one line of JSON; bf16 is by
// tiles of AMX where there are any, else by dot products of AVX-512 BF16, and null where the processor has neither.
//
//   limits [THREADS]
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <thread>

#include "machine_limits.h"

namespace {

using namespace megalith;

int run(int threads) {
  constexpr int kWindows = 10;
  const std::vector<float> data(bench::kMemoryBytes / sizeof(float), 1.0f);
  double fp32 = 0, bf16 = 0, memory = 0, cache = 0;
  for (int window = 0; window < kWindows; ++window) {
    fp32 = std::max(fp32, bench::fp32_multiply_adds(threads));
    bf16 = std::max(bf16, bench::bf16_multiply_adds(threads));
    memory = std::max(memory, bench::read_bandwidth(threads, data, bench::kMemoryBytes, 0.1));
    cache = std::max(cache, bench::read_bandwidth(threads, data, bench::kCacheBytes, 0.05));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // windows are spread: the machine may be shared
  }
  char bf16_text[32] = "null";
  if (bf16 > 0) std::snprintf(bf16_text, sizeof bf16_text, "%.1f", bf16 / 1e9);
  std::printf(
      "{\"threads\": %d, \"fp32_gflops\": %.1f, \"bf16_gflops\": %s, \"bf16_by\": \"%s\", \"memory_gbytes\": %.1f, "
      "\"cache_gbytes\": %.1f}\n",
      threads, fp32 / 1e9, bf16_text,
      bench::has_bf16_tiles()   ? "AMX tiles"
      : bench::has_bf16_pairs() ? "AVX-512 BF16"
                                : "none",
      memory / 1e9, cache / 1e9);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = megalith::available_processors();
  if (argc <= 1) return run(threads);
  const char* const end = argv[1] + std::strlen(argv[1]);
  if (std::from_chars(argv[1], end, threads).ptr == end && threads >= 1) return run(threads);
  std::fprintf(stderr, "limits: \"%s\" is not a number of threads; usage: limits [THREADS]\n", argv[1]);
  return 2;
}

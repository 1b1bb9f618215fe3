// SPDX-License-Identifier: Apache-2.0
// What this machine can do at best: multiply-adds per second in fp32 and in bf16 on all threads, products in fp32 per
// second, more of them where tiles of AMX multiply their parts, and bytes per second read from memory and from L3:
// the best of ten windows spread over some seconds. Prints one line of JSON; bf16 is by tiles of AMX where there are
// any, else by dot products of AVX-512 BF16, and null where the processor has neither.
//
//   limits [THREADS]
#include <chrono>
#include <cstdio>
#include <thread>

#include "machine_limits.h"
#include "options.h"

namespace megalith::bench {
namespace {

const char* bf16_by() { return has_bf16_tiles() ? "\"AMX tiles\"" : has_bf16_pairs() ? "\"AVX-512 BF16\"" : "null"; }

void print(int threads) {
  constexpr int kWindows = 10;
  const std::vector<float> data = memory_to_read();
  Limits best;
  for (int window = 0; window < kWindows; ++window) {
    best.measure(threads, data);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // windows are spread: the machine may be shared
  }
  char bf16[32] = "null";
  if (best.bf16 > 0) std::snprintf(bf16, sizeof bf16, "%.1f", best.bf16 / 1e9);
  std::printf(
      "{\"threads\": %d, \"fp32_gflops\": %.1f, \"fp32_product_gflops\": %.1f, \"bf16_gflops\": %s, \"bf16_by\": %s, ",
      threads, best.fp32 / 1e9, best.fp32_products() / 1e9, bf16, bf16_by());
  std::printf("\"memory_gbytes\": %.1f, \"cache_gbytes\": %.1f}\n", best.memory / 1e9, best.cache / 1e9);
}

}  // namespace
}  // namespace megalith::bench

int main(int argc, char** argv) {
  using namespace megalith;
  CLI::App app{"What this machine can do at best", "limits"};
  int threads = available_processors();
  bench::add_count(app, "THREADS", threads, "threads")->capture_default_str();
  return bench::run(app, argc, argv, [&] { bench::print(threads); });
}

// SPDX-License-Identifier: Apache-2.0
// A block of your own (parallel_block.h): its gradient checked, then trained inside a whole model.
//   own_block PATH RUN_DIR [STEPS]
#include <cstdio>
#include <exception>
#include <string>

#include "megalith/models/flat.h"
#include "megalith/models/decoder_model.h"
#include "megalith/testing/gradient_check.h"
#include "megalith/testing/streaming_check.h"
#include "megalith/train/trainer.h"
#include "parallel_block.h"

namespace {

using namespace megalith;
using example::ParallelBlock;

/// Backward against dual numbers, and a sequence in pieces against the whole; both are exact to rounding.
void check_block() {
  const auto make = []<class S>() { return ParallelBlock<S>({.width = 12, .heads = 3}); };
  const testing::Finding gradients = testing::check_gradients(make, {.shape = {.B = 2, .T = 9}, .before = 7});
  std::printf("gradients: off by %.0e, most in %s\n", gradients.error, gradients.where.c_str());
  const testing::Finding chunks = testing::check_chunks(make, {.shape = {.B = 2, .T = 10}});
  std::printf("chunks: off by %.0e, most in %s\n", chunks.error, chunks.where.c_str());
  check(gradients.error < 1e-13 && chunks.error < 1e-13, "the block is wrong");
}

void train(const std::string& path, const std::string& run_dir, long steps) {
  // A decoder takes any block. MEGABYTE with it would be Patched<ParallelBlock<float>, Flat<ParallelBlock<float>>>.
  DecoderModel<Flat<ParallelBlock<float>>> model(
      {.length = 128, .scales = {{.unit = 1, .stack = {.width = 64, .layers = 2, .heads = 2}}}});
  TrainConfig config;
  config.budget.steps = steps;
  config.schedule.peak = 2e-3;
  model.init(config.init_key());
  Trainer trainer(model, config, DataConfig{.train = {path}, .valid_share = 0.05}, run_dir);
  const TrainResult result = trainer.run();
  std::printf("held-out bytes: %.3f bits per byte\n", result.progress.valid->bits_per_byte);
  // load_model() knows the library's own models only. load_parameters(run_dir, model) reads this one back.
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: own_block PATH RUN_DIR [STEPS]\n");
    return 2;
  }
  try {
    check_block();
    train(argv[1], argv[2], argc > 3 ? std::stol(argv[3]) : 300);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_block: %s\n", error.what());
    return 1;
  }
}

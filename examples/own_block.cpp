// SPDX-License-Identifier: Apache-2.0
// A kind of block of your own (parallel_block.h): its gradient checked, then trained, saved and loaded by its name.
//   own_block PATH RUN_DIR [STEPS]
#include <cstdio>
#include <exception>
#include <string>

#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/models/config_json.h"
#include "megalith/testing/gradient_check.h"
#include "megalith/testing/streaming_check.h"
#include "megalith/train/trainer.h"
#include "parallel_block.h"

namespace {

using namespace megalith;
using example::ParallelBlock;
using example::ParallelConfig;

/// Backward against dual numbers, and a sequence in pieces against the whole; both are exact to rounding.
void check_block() {
  const StackConfig stack{.width = 12, .dropout = 0.1, .block = ParallelConfig{.heads = 3}};
  const auto make = [&]<class S>() { return ParallelBlock<S>(stack, 0); };
  const testing::Finding gradients = testing::check_gradients(make, {.shape = {.B = 2, .T = 9}, .before = 7});
  std::printf("gradients: off by %.0e, most in %s\n", gradients.error, gradients.where.c_str());
  const testing::Finding chunks = testing::check_chunks(make, {.shape = {.B = 2, .T = 10}});
  std::printf("chunks: off by %.0e, most in %s\n", chunks.error, chunks.where.c_str());
  check(gradients.error < 1e-13 && chunks.error < 1e-13, "the block is wrong");
}

/// MEGABYTE with a global model of parallel blocks and a local model of transformer blocks.
constexpr const char* kModel = R"({
  "length": 128,
  "scales": [
    {"patch": 4, "stack": {"width": 64, "layers": 2, "parallel": {"heads": 2}}},
    {"patch": 1, "stack": {"width": 32, "layers": 1, "transformer": {"heads": 2}}}
  ]
})";

void train(const std::string& path, const std::string& run_dir, long steps) {
  register_block<ParallelConfig>();  // from here on "parallel" is a name like "transformer"
  const std::unique_ptr<AnyModel> model = make_model(config_from_json(kModel, "the example's model"));
  TrainConfig config;
  config.budget.steps = steps;
  config.schedule.peak = 2e-3;
  model->init(config.init_key());
  Trainer trainer(*model, config, DataConfig{.train = {path}, .valid_share = 0.05}, run_dir);
  const TrainResult result = trainer.run();
  std::printf("held-out bytes: %.3f bits per byte\n", result.progress.valid->bits_per_byte);

  const std::unique_ptr<AnyModel> loaded = load_model(run_dir);
  Generator generator(*loaded, {.temperature = 0.8});
  generator.prompt("It ");
  std::printf("It ");
  for (int i = 0; i < 40; ++i) std::putchar(generator.next());
  std::putchar('\n');
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

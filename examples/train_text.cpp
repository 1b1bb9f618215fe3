// SPDX-License-Identifier: Apache-2.0
// Trains a model of your own shape on a file or folder, from C++.
//   train_text PATH RUN_DIR [STEPS]
#include <cstdio>
#include <exception>
#include <string>

#include "megalith/train/trainer.h"

namespace {

/// MEGABYTE with patches of four bytes. Every setting has a name; what is left out has a default.
megalith::ModelConfig small_megabyte() {
  const megalith::StackConfig global{.width = 128, .layers = 3, .block = megalith::TransformerConfig{.heads = 4}};
  const megalith::StackConfig local{.width = 64, .layers = 2, .block = megalith::TransformerConfig{.heads = 2}};
  return {.length = 256, .scales = {{.patch = 4, .stack = global}, {.patch = 1, .stack = local}}};
}

void train(const std::string& path, const std::string& run_dir, long steps) {
  const auto model = megalith::make_model(small_megabyte());
  megalith::TrainConfig config;
  config.budget.steps = steps;
  config.schedule.peak = 2e-3;
  model->init(config.init_key());

  megalith::DataConfig data;
  data.train = {path};
  data.valid_share = 0.05;
  megalith::Trainer trainer(*model, config, data, run_dir);
  const megalith::TrainResult result = trainer.run([](const megalith::Progress& p) {
    if (p.logged) std::printf("step %ld: %.3f bits per byte\n", static_cast<long>(p.step), p.train_bpb);
    return megalith::Control::go_on;
  });
  std::printf("held-out bytes: %.3f bits per byte\n", result.progress.valid->bits_per_byte);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: train_text PATH RUN_DIR [STEPS]\n");
    return 2;
  }
  try {
    train(argv[1], argv[2], argc > 3 ? std::stol(argv[3]) : 500);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_text: %s\n", error.what());
    return 1;
  }
}

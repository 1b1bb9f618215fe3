// SPDX-License-Identifier: Apache-2.0
// Trains on data that no file holds: sums, written as they are needed. Then asks the model one.
//   own_data RUN_DIR [STEPS]
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "megalith/generate/generator.h"
#include "megalith/train/trainer.h"

namespace {

/// A source of training windows is a BatchSampler. What it gives must be a function of step and window number alone: a run
/// that is stopped and resumed, or that computes a batch in pieces, then sees the same bytes.
class Sums final : public megalith::BatchSampler {
 public:
  explicit Sums(megalith::RandomKey key) : key_(key) {}

  /// Lines such as "17+25=42", each window beginning with a whole one.
  void fill(std::int64_t step, megalith::Index first, megalith::Index length, std::span<std::uint8_t> bytes) const override {
    const std::size_t size = static_cast<std::size_t>(length);
    for (std::size_t window = 0; window * size < bytes.size(); ++window) {
      // A random number is a function of a key and a counter. Each window has a key of its own.
      const auto number = static_cast<std::uint64_t>(first) + window;
      const megalith::RandomKey key = key_.child(static_cast<std::uint64_t>(step)).child(number);
      std::string text;
      for (std::uint64_t counter = 0; text.size() < size; counter += 2) {
        const long a = megalith::random_below(key, counter, 100), b = megalith::random_below(key, counter + 1, 100);
        text += std::to_string(a) + "+" + std::to_string(b) + "=" + std::to_string(a + b) + "\n";
      }
      std::copy_n(text.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(window * size));
    }
  }
  /// A resumed run compares this with what the run began with.
  std::string describe() const override { return "sums of two numbers below 100, key " + std::to_string(key_.value); }

 private:
  megalith::RandomKey key_;
};

void train(const std::string& run_dir, long steps) {
  const megalith::StackConfig global{.width = 128, .layers = 2, .block = megalith::TransformerConfig{.heads = 4}},
      local{.width = 64, .layers = 2, .block = megalith::TransformerConfig{.heads = 2}};
  const auto model =
      megalith::make_model({.length = 64, .scales = {{.patch = 4, .stack = global}, {.patch = 1, .stack = local}}});
  megalith::TrainConfig config;
  config.budget.steps = steps;
  config.batch = 32;
  config.schedule.peak = 3e-3;
  config.log_every = 100;
  model->init(config.init_key());

  // The empty slice: no validation. Each window is new, so the loss of training is that of unseen data.
  megalith::Trainer trainer(*model, config, std::make_unique<Sums>(config.data_key()), megalith::CorpusSlice{}, run_dir);
  trainer.run([](const megalith::Progress& p) {
    if (p.logged) std::printf("step %ld: %.3f bits per byte\n", static_cast<long>(p.step), p.train_bpb);
    return megalith::Control::go_on;
  });

  megalith::Generator generator(*model, {.temperature = 0});
  generator.prompt("3+4=7\n17+25=");
  std::printf("17+25=");
  for (int i = 0; i < 3; ++i) std::putchar(generator.next());  // two digits and the end of the line, once it has learned
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: own_data RUN_DIR [STEPS]\n");
    return 2;
  }
  try {
    train(argv[1], argc > 2 ? std::stol(argv[2]) : 2000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "own_data: %s\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
// Times training steps (forward, backward, clip, AdamW) of a preset on random bytes, and shows the memory they take. Prints
// one line of JSON: the median of the steps after the first.
//
//   train_step MODEL [LENGTH [BATCH [THREADS [STEPS]]]] [--precision fp32|bf16] [--recompute]
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "megalith/kernels/gemm.h"
#include "megalith/megalith.h"
#include "megalith/models/decoders.h"
#include "megalith/train/adamw.h"
#include "megalith/train/clip.h"

namespace megalith {
namespace {

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// RssAnon of this process in bytes, or 0 where the system does not tell.
double anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

/// Bytes on the heap that the tape of the outermost scale's inner decoder takes when batches of that shape are trained.
template <class Model>
double inner_tape_bytes(const ModelConfig& config, Shape shape) {
  const Model model(config, 0);
  const auto used = [] { return static_cast<double>(mallinfo2().uordblks) + static_cast<double>(mallinfo2().hblkhd); };
  const double before = used();
  const typename decltype(model.inner)::Tape tape(model.inner, {model.tile_patches(shape), model.unit()});
  return used() - before;
}

double inner_tape_bytes(const ModelConfig& config, Shape shape) {
  if (config.scales.size() == 3) return inner_tape_bytes<ThreeScale<float>>(config, shape);
  return config.scales.size() == 2 ? inner_tape_bytes<Megabyte<float>>(config, shape) : 0;
}

int run(int argc, char** argv) {
  std::vector<std::string> arguments;
  Precision precision_of_products = Precision::fp32;
  bool recompute = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view given = argv[i];
    if (given == "--recompute") recompute = true;
    else if (given == "--precision" && i + 1 < argc) precision_of_products = precision(argv[++i]);
    else arguments.emplace_back(given);
  }
  const auto usage = "usage: train_step MODEL [LENGTH [BATCH [THREADS [STEPS]]]] [--precision fp32|bf16] [--recompute]";
  check(!arguments.empty() && arguments.size() <= 5, usage);
  check(precision_of_products == Precision::fp32 || has_bf16_products(), "this processor has neither AMX nor AVX-512 BF16 instructions");
  const auto argument = [&](std::size_t i, Index otherwise) {
    if (arguments.size() <= i) return otherwise;
    const std::string& given = arguments[i];
    Index value = 0;
    const auto end = std::from_chars(given.data(), given.data() + given.size(), value).ptr;
    check(end == given.data() + given.size() && value > 0, "\"", given, "\" is not a number above 0; ", usage);
    return value;
  };
  ModelConfig config = load_config(arguments[0]);
  config.length = argument(1, config.length);
  for (ScaleConfig& scale : config.scales) scale.stack.recompute = recompute;
  const Shape shape{argument(2, 8), config.length};
  const int threads = static_cast<int>(argument(3, available_processors()));
  const Index steps = argument(4, 7);

  const auto model = make_model(config);
  model->init(RandomKey{1});
  const auto grad = model->clone();
  Workspace workspace(threads);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  ctx.precision = precision_of_products;
  const auto tape = model->make_tape(shape);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random_bits(RandomKey{2}, i));
  std::vector<float> costs(bytes.size());

  const std::vector<Parameter> weights = model->parameters(), gradients = grad->parameters();
  AdamW optimiser(weights, {});
  GlobalNorm norm(weights);
  for (const Parameter& p : gradients) p.tensor->fill(0);  // the optimiser leaves them so
  std::vector<double> seconds;
  for (Index step = 0; step <= steps; ++step) {
    const double start = now();
    model->train(ctx, {bytes.data(), shape.B, shape.T}, 1.0f / static_cast<float>(shape.rows()), costs, *grad, *tape);
    optimiser.update(ctx, weights, gradients, 1e-4, clip_factor(norm(ctx, gradients), 1), step + 1);
    if (step > 0) seconds.push_back(now() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf(
      "{\"model\": \"%s\", \"parameters\": %td, \"length\": %td, \"batch\": %td, \"threads\": %d, \"products\": \"%s\", "
      "\"precision\": \"%s\", \"recompute\": %s, "
      "\"seconds_per_step\": %.4f, \"bytes_per_second\": %.0f, \"gflops\": %.1f, \"rss_anon_mb\": %.0f, \"inner_tape_mb\": "
      "%.2f}\n",
      arguments[0].c_str(), model->parameter_count(), shape.T, shape.B, threads, product_library(),
      std::string(to_string(precision_of_products)).c_str(), recompute ? "true" : "false", median,
      static_cast<double>(shape.rows()) / median, 3 * model->flops(shape) / median / 1e9, anonymous_memory() / 1e6,
      inner_tape_bytes(config, shape) / 1e6);
  return 0;
}

}  // namespace
}  // namespace megalith

int main(int argc, char** argv) {
  try {
    return megalith::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "train_step: " << e.what() << '\n';
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
// Times training steps (forward, backward, clip, AdamW) of a model on random bytes, and shows the memory they take. Prints
// one line of JSON: the median of the steps after the first. With --count nothing is run: only what can be counted is
// printed.
//
//   train_step MODEL [LENGTH [BATCH [THREADS [STEPS]]]] [--precision fp32|bf16] [--recompute] [--rotary]
//       [--cross-patch N] [--count]
#include <fstream>

#include "decoder_types.h"
#include "training_step.h"

namespace megalith::bench {
namespace {

/// RssAnon of this process in bytes, or 0 where the system does not tell.
double anonymous_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

/// Bytes of the tape that the outermost scale's inner decoder has when batches of that shape are trained.
template <class Decoder>
double inner_tape_bytes(const ModelConfig& config, Shape shape) {
  const Decoder m(config, 0);
  using Tape = typename Decoder::Inner::Tape;
  return sizeof(float) * numbers_of([&] { return Tape(m.inner, m.inner_sequences(shape).tile()); });
}

double inner_tape_bytes(const ModelConfig& config, Shape shape) {
  if (config.scales.size() == 3) return inner_tape_bytes<ThreeScales<ShapeOnly>>(config, shape);
  return config.scales.size() == 2 ? inner_tape_bytes<TwoScales<ShapeOnly>>(config, shape) : 0;
}

/// What needs no run: model FLOPs, of which backward is twice forward and recomputation nothing.
void print_counts(const Options& o) {
  const auto summary = make_summary(o.config());
  const Shape shape = o.shape();
  std::printf("{\"model\": \"%s\", \"parameters\": %.0f, \"length\": %td, \"batch\": %td, \"flops_per_byte\": %.0f",
              o.model.c_str(), summary->parameter_count(), shape.T, shape.B,
              3 * summary->flops(shape) / static_cast<double>(shape.B * summary->predicted(shape.T)));
}

void print_measured(const Options& o, Index steps) {
  TrainingStep step(o);
  const double seconds = step.seconds(steps), memory = anonymous_memory();
  const Shape shape = step.shape();
  print_counts(o);
  std::printf(
      ", \"threads\": %d, \"products\": \"%s\", \"precision\": \"%s\", \"recompute\": %s, \"seconds_per_step\": %.4f, "
      "\"bytes_per_second\": %.0f, \"gflops\": %.1f, \"rss_anon_mb\": %.0f, \"inner_tape_mb\": %.2f",
      o.threads, gemm_backend(), std::string(to_string(o.precision)).c_str(), o.recompute ? "true" : "false", seconds,
      static_cast<double>(shape.B * step.model().summary().predicted(shape.T)) / seconds,
      3 * step.model().flops(shape) / seconds / 1e9, memory / 1e6, inner_tape_bytes(o.config(), shape) / 1e6);
}

}  // namespace
}  // namespace megalith::bench

int main(int argc, char** argv) {
  using namespace megalith;
  CLI::App app{"Times training steps", "train_step"};
  bench::Options options;
  Index steps = 7;
  bool count = false;
  bench::add_model(app, options);
  bench::add_training(app, options);
  bench::add_count(app, "STEPS", steps, "steps to time, after one that is not")->capture_default_str();
  app.add_flag("--count", count, "run nothing: parameters and FLOPs alone");
  return bench::run(app, argc, argv, [&] {
    if (count) bench::print_counts(options);
    else bench::print_measured(options, steps);
    std::printf("}\n");
  });
}

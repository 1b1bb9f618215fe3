// SPDX-License-Identifier: Apache-2.0
// The roofline of a training step by part: what its calls compute and move, counted; the time they take, each measured alone
// on the shapes that it has in the step; and the time that the peak and the bandwidth of this machine would allow. Prints a
// line of JSON for each part and one for the whole, or a table.
//
//   step_parts MODEL [LENGTH [BATCH [THREADS]]] [--precision fp32|bf16] [--rotary] [--table]
//
// A call measured alone, again and again, finds its numbers where it left them: the whole step is a little slower than the
// sum where they would have left the cache. Dropout and copies of bytes are in the whole alone; recomputation is not looked
// at.
#include "decoder_parts.h"
#include "megalith/train/corpus.h"

namespace megalith::bench {
namespace {

void add_optimiser(Roofline& r, AnyModel& model) {
  const auto grad = model.clone();
  const std::vector<Parameter> weights = model.parameters(), gradients = grad->parameters();
  for (const Parameter& p : gradients) p.tensor->fill(1e-3f);
  AdamW optimiser(weights, {});
  GlobalNorm norm(weights);
  const double n = count(model.parameter_count());
  double sum = 0;
  r.scale = -1;
  r.add("norm of the gradient", 1, {2 * n, n}, [&] { sum += norm(r.ctx(), gradients); });
  use(static_cast<float>(sum));
  std::int64_t t = 0;
  r.add("optimiser", 1, {14 * n, 8 * n}, [&] { optimiser.update(r.ctx(), weights, gradients, 1e-4, 1, ++t); });
}

/// Windows of a file: this program's own.
void add_data(Roofline& r, Shape shape) {
  const Corpus corpus({"/proc/self/exe"});
  if (corpus.size() < shape.T) return;
  const RandomWindows windows(corpus.all(), shape.T, RandomKey{3});
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()));
  std::int64_t step = 0;
  r.add("data", 1, {0, 2 * count(shape.rows()) / sizeof(float)}, [&] { windows.fill(step++, 0, shape.T, bytes); });
}

void add_model(Roofline& r, const Options& o) {
  const auto model = make_model(o.config());
  model->init(RandomKey{1});
  with_decoder(*model, [&](const auto& decoder) { add_decoder(r, decoder, o.shape(), 1); });
  add_optimiser(r, *model);
  add_data(r, o.shape());
}

double share(double a, double b) { return b > 0 ? a / b : 0; }

void print_part(const Part& p, double whole, bool table) {
  const std::string scale = p.scale < 0 ? "null" : std::to_string(p.scale);
  if (table) {
    std::printf("| %s | %s | %.0f | %.2f | %.2f | %.2f | %.2f | %.0f %% | %.1f %% |\n", p.name.c_str(),
                p.scale < 0 ? "" : scale.c_str(), p.calls, p.flops / 1e9, p.bytes / 1e6, p.seconds * 1e3, p.allowed * 1e3,
                100 * share(p.allowed, p.seconds), 100 * share(p.seconds, whole));
    return;
  }
  std::printf(
      "{\"part\": \"%s\", \"scale\": %s, \"calls\": %.1f, \"gflop\": %.4f, \"mbytes\": %.3f, \"ms\": %.4f, \"allowed_ms\": "
      "%.4f, \"share_of_allowed\": %.3f, \"share_of_step\": %.4f}\n",
      p.name.c_str(), scale.c_str(), p.calls, p.flops / 1e9, p.bytes / 1e6, p.seconds * 1e3, p.allowed * 1e3,
      share(p.allowed, p.seconds), share(p.seconds, whole));
}

void print(const Options& o, bool table) {
  const std::vector<float> data = memory_to_read();
  Limits limits;
  const auto measure_limits = [&] {
    for (int i = 0; i < 4; ++i) limits.measure(o.threads, data);
  };
  measure_limits();
  const double whole = TrainingStep(o).seconds(5);
  measure_limits();

  Workspace workspace(o.threads);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  ctx.precision = o.precision;
  Roofline roofline(ctx);
  add_model(roofline, o);
  measure_limits();

  if (table)
    std::printf(
        "| part | scale | calls | GFLOP | MB | ms | ms allowed | allowed of measured | of the step |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  Part sum{.name = "sum of the parts"};
  for (const Part& p : roofline.parts(limits)) {
    print_part(p, whole, table);
    sum.calls += p.calls;
    sum.flops += p.flops;
    sum.bytes += p.bytes;
    sum.seconds += p.seconds;
    sum.allowed += p.allowed;
  }
  print_part(sum, whole, table);
  Part step = sum;
  step.name = "whole step";
  step.seconds = whole;
  print_part(step, whole, table);
  const std::string heading =
      text(o.model, ", ", o.shape().B, " x ", o.shape().T, " bytes, ", o.threads, " threads, ", to_string(o.precision));
  std::printf(table ? "\n%s; peak %.1f GFLOP/s of fp32 multiply-adds, %.1f of fp32 products, %.1f of bf16; %.1f GB/s of "
                      "memory, %.1f of L3\n"
                    : "{\"step\": \"%s\", \"fp32_gflops\": %.1f, \"fp32_product_gflops\": %.1f, \"bf16_gflops\": %.1f, "
                      "\"memory_gbytes\": %.1f, \"cache_gbytes\": %.1f}\n",
              heading.c_str(), limits.fp32 / 1e9, limits.fp32_products() / 1e9, limits.bf16 / 1e9, limits.memory / 1e9,
              limits.cache / 1e9);
}

}  // namespace
}  // namespace megalith::bench

int main(int argc, char** argv) {
  using namespace megalith;
  CLI::App app{"The roofline of a training step by part", "step_parts"};
  bench::Options options;
  bool table = false;
  bench::add_model(app, options);
  bench::add_training(app, options);
  app.add_flag("--table", table, "a markdown table instead of JSON");
  return bench::run(app, argc, argv, [&] {
    check(!options.recompute, "step_parts does not look at recomputation; leave --recompute out");
    bench::print(options, table);
  });
}

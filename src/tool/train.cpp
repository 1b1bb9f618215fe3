// SPDX-License-Identifier: Apache-2.0
// megalith train: learns from files, into a run directory.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "interrupt.h"
#include "megalith/models/config_size.h"
#include "megalith/models/flops.h"
#include "megalith/train/trainer.h"
#include "options.h"
#include "progress.h"
#include "start_line.h"
#include "train_options.h"
#include "verb.h"

namespace megalith::tool {
namespace {

void say_what_starts(const RunConfig& run) {
  const ModelConfig& model = run.model;
  const double flops = 3 * forward_flops(model, {1, model.length}) / static_cast<double>(model.length);
  std::printf("model: %s, %s parameters, windows of %s bytes, %.1f MFLOP to learn a byte\n", model_name(model).c_str(),
              grouped(parameter_count(model)).c_str(), grouped(model.length).c_str(), flops * 1e-6);
  std::fflush(stdout);
}

void say_where_it_goes_on(const Progress& progress) {
  std::printf("going on after step %s\n", grouped(progress.step).c_str());
  std::fflush(stdout);
}

/// A path as one word of a command.
std::string quoted(const std::string& path) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:,@%";
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void say_how_it_ended(const TrainResult& result, const TrainOptions& options, const std::string& program) {
  const std::string command = quoted(program);
  const Progress& end = result.progress;
  if (result.stopped) {
    std::printf("stopped after step %s and saved; to go on: %s train --out %s --resume\n", grouped(end.step).c_str(),
                command.c_str(), quoted(options.out).c_str());
    return;
  }
  if (end.valid)
    std::printf("validation: %.4f bits per byte over %s bytes, after %s steps\n", end.valid->bits_per_byte,
                grouped(end.valid->bytes).c_str(), grouped(end.step).c_str());
  else
    std::printf("done after %s steps; no validation, since neither --valid nor --valid-share was given\n",
                grouped(end.step).c_str());
  std::printf("the run is in %s; to read from it: %s generate %s --bytes 400\n", options.out.c_str(), command.c_str(),
              quoted(options.out).c_str());
}

int run_train(const TrainOptions& options, const std::string& program) {
  const InterruptWatch interrupt;  // before there are other threads
  const RunConfig run = run_config(options);
  const std::unique_ptr<AnyModel> model = make_model(run.model);
  model->init(run.train.init_key());
  Trainer trainer(*model, run.train, run.data, options.out, options.threads);
  if (options.resume) trainer.resume();
  say_what_starts(run);
  if (options.resume) say_where_it_goes_on(trainer.progress());

  ProgressDisplay display(stderr);
  bool computes = false;  // run() refuses some input before it does
  const TrainResult result = trainer.run([&](const Progress& progress) {
    if (!std::exchange(computes, true)) say_what_computes(options.threads);
    display.show(progress);
    return interrupt.asked() ? Control::stop : Control::go_on;
  });
  display.finish();
  say_how_it_ended(result, options, program);
  return result.stopped ? interrupt.exit_code() : kDone;
}

}  // namespace

Verb add_train(CLI::App& app, const std::string& program) {
  CLI::App* verb = app.add_subcommand("train", "Trains a model on files and keeps a run directory");
  const auto options = std::make_shared<TrainOptions>();
  add_options(*verb, *options);
  return {verb, [options, program] { return run_train(*options, program); }};
}

}  // namespace megalith::tool

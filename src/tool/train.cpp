// SPDX-License-Identifier: Apache-2.0
// megalith train: learns from files, into a run directory.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../page/numbers.h"
#include "../page/utf8.h"
#include "baselines.h"
#include "data_notes.h"
#include "interrupt.h"
#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/run_names.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/scan.h"
#include "megalith/models/zoo.h"
#include "megalith/train/trainer.h"
#include "progress.h"
#include "quoted.h"
#include "report.h"
#include "run_config.h"
#include "sample_log.h"
#include "standard_input.h"
#include "start_line.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::counted, page::grouped, page::one_line, page::printable;

/// As Linux tells it.
std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != line.npos) return line.substr(line.find(": ") + 2);
  return "unknown";
}

void say_what_starts(const RunConfig& run) {
  const ModelConfig& model = run.model;
  const auto summary = make_summary(model);
  const double flops = 3 * flops_per_byte(*summary, model.length);
  const std::string records = in_words(model.record);
  std::printf("model: %s, %s parameters, windows of %s bytes, %s%.1f MFLOP to learn a byte\n", model_name(model).c_str(),
              grouped(summary->parameter_count(), 0).c_str(), grouped(model.length).c_str(),
              records.empty() ? "" : (records + ", ").c_str(), flops * 1e-6);
  std::fflush(stdout);
}

void say_what_is_learned_from(const RunConfig& run) {
  const DataNotes about = notes_on(run);
  std::printf("data: %s; for %s\n", about.summary.c_str(), budget_text(run.train.budget).c_str());
  if (!about.shares.empty()) std::printf("windows: %s\n", about.shares.c_str());
  std::fflush(stdout);
  for (const std::string& note : about.notes) std::fprintf(stderr, "megalith: note: %s\n", note.c_str());
}

void say_where_it_goes_on(const Progress& progress) {
  std::printf("going on after step %s\n", grouped(progress.step).c_str());
  std::fflush(stdout);
}

/// Says so where the best weights are lost: unlike the last ones, they are in no other file.
void look_for_best(const TrainResult& result, const std::string& run_dir) {
  if (!result.progress.best) return;
  try {
    load_checkpoint_config(run_names::path_in(run_dir, run_names::kBest));
  } catch (const Error& error) {
    std::fprintf(stderr, "megalith: the weights of the best validation are lost (%s); model.safetensors has the last ones\n",
                 one_line(error.what()).c_str());
  }
}

/// The command that reads from the model, and shows what is no text; `bytes` are whole records.
std::string reading(const std::string& command, const std::string& run_dir, std::int64_t bytes,
                    const std::optional<ShownAs>& as) {
  const std::string generate = text(command, " generate ", quoted(run_dir), " --bytes ", bytes);
  if (!as) return generate;
  return text(generate, " | ", command, " show - --as ", to_string(*as), " --out ",
              std::holds_alternative<media::Shape>(*as) ? "sheet.bmp" : "sound.wav");
}

void say_how_it_ended(const TrainResult& result, bool reported, std::int64_t bytes, const std::optional<ShownAs>& as,
                      const TrainOptions& options, const std::string& program) {
  const std::string command = quoted(program);
  const Progress& end = result.progress;
  if (result.stopped) {
    std::printf("stopped after step %s and saved; to go on: %s train --out %s --resume\n", grouped(end.step).c_str(),
                command.c_str(), quoted(options.out).c_str());
    return;
  }
  if (result.out_of_patience)
    std::printf(
        "stopped early: no validation since step %s was better than its %.4f bits per byte, which best.safetensors has\n",
        grouped(end.best->step).c_str(), end.best->bits_per_byte);
  if (end.valid)
    std::printf("validation: %.4f bits per byte over %s, after %s\n", end.valid->bits_per_byte,
                counted(end.valid->bytes, "byte").c_str(), counted(end.step, "step").c_str());
  else
    std::printf("done after %s; no validation, since neither --valid nor --valid-share was given\n",
                counted(end.step, "step").c_str());
  std::printf("the run is in %s%s; to read from it: %s\n", one_line(options.out).c_str(),
              reported ? ", with its learning curve in report.html" : "", reading(command, options.out, bytes, as).c_str());
}

/// The samples for the report: where nobody said how many, one that a model which is done writes for it alone. A large model
/// may not get to its end.
ShownSamples shown_samples(const SampleLog& samples, const AnyModel& model, const RunConfig& run, const TrainResult& result,
                           const TrainOptions& options, const InterruptWatch& interrupt) {
  using std::chrono::steady_clock;
  constexpr auto kLongest = std::chrono::seconds(5);
  constexpr std::int64_t kTextBytes = 300;
  const SampleOptions how = samples.options();
  ShownSamples shown{samples.all(), how.as ? how.as : shown_as(run.model.record)};
  if (samples.asked() || result.stopped) return shown;
  const auto end = steady_clock::now() + kLongest;
  try {
    shown.all = {{result.progress.step, "",
                  written(model, "", how.as ? how.bytes : kTextBytes, run.train.seed, options.threads,
                          [&] { return interrupt.asked() || steady_clock::now() > end; })}};
  } catch (const std::exception&) {  // as of memory that others have taken; nobody asked for it
  }
  return shown;
}

/// Writes the report, and returns whether that went well: a run that is saved does not fail because its report does.
bool leave_report(const RunConfig& run, const TrainResult& result, const ShownSamples& samples,
                  const TrainOptions& options) {
  try {
    write_report(
        options.out, run, result, samples, baselines(options.out, run.data, run.model.record.bytes),
        {{"Processor", processor_name()}, {"Computed by", start_line(options.threads)}, {"Megalith", kLibraryVersion}});
    return true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "megalith: no report was written: %s\n", one_line(error.what()).c_str());
    return false;
  }
}

int run_train(const TrainOptions& options, const std::string& program) {
  InterruptWatch interrupt;  // before there are other threads
  std::optional<StandardInput> input;
  if (options.reads_standard_input()) input.emplace(STDIN_FILENO, options.out);
  const RunConfig run = run_config(options);
  if (options.prompt) Scan(run.model.record).check_whole("the text of --prompt", std::ssize(*options.prompt));
  check_training(*make_summary(run.model), run.train, {.threads = options.threads});  // before the model takes memory
  const std::unique_ptr<AnyModel> model = make_model(run.model);
  model->init(run.train.init_key());
  Trainer trainer(*model, run.train, run.data, options.out, {.threads = options.threads});
  if (options.resume) trainer.resume(options.more ? Resume::longer : Resume::same_budget);
  say_what_starts(run);
  if (!options.resume) say_what_is_learned_from(run);
  if (options.resume) say_where_it_goes_on(trainer.progress());

  SampleLog samples(options.out, {options.sample_every, options.sample_bytes, options.prompt, options.sample_as},
                    run.train.seed, options.threads);
  if (options.resume) samples.resume(trainer.progress().step);
  refuse_unused(options, samples.options().every.value_or(0));
  const bool is_text = !samples.options().as && !shown_as(run.model.record);
  ProgressDisplay display(stderr);
  const auto sample_if_due = [&](std::int64_t step, bool last) {
    if (!samples.due(step, last)) return;
    try {
      const TextSample* sample = samples.take(trainer.result(), step, [&] { return interrupt.asked(); });
      if (sample != nullptr)
        display.say(text("step ", grouped(step), ": a sample",
                         is_text ? text("\n", printable(sample->prompt + sample->bytes), "\n")
                                 : text(" of ", counted(std::ssize(sample->bytes), "byte"), ", for report.html")));
    } catch (const Error& error) {  // as of memory that others have taken; a run does not end because a sample fails
      display.say(text("step ", grouped(step), ": no sample: ", one_line(error.what()), "\n"));
    }
  };
  // Whoever stopped the run may have stopped a sample.
  if (options.resume && trainer.progress().step > 0) sample_if_due(trainer.progress().step, false);
  interrupt.first_one_asks();  // from here on there is something to save
  bool computes = false;       // run() refuses some input before it does
  const TrainResult result = trainer.run([&](const Progress& progress) {
    if (!std::exchange(computes, true)) {
      say_what_computes(options.threads);
      samples.begin();
    }
    display.show(progress);
    if (progress.phase == Phase::training && !interrupt.asked()) sample_if_due(progress.step, false);
    return interrupt.asked() ? Control::stop : Control::go_on;
  });
  display.finish();
  if (!result.stopped) sample_if_due(result.progress.step, true);
  const ShownSamples shown = shown_samples(samples, trainer.result(), run, result, options, interrupt);
  const bool reported = leave_report(run, result, shown, options);
  look_for_best(result, options.out);
  say_how_it_ended(result, reported, sample_bytes(trainer.result(), 0, samples.options().bytes), shown.as, options, program);
  const bool sample_left_out = interrupt.asked() && samples.due(result.progress.step, true);
  return result.stopped || sample_left_out ? interrupt.exit_code() : kDone;
}

}  // namespace

Verb add_train(CLI::App& app, const std::string& program) {
  CLI::App* verb = app.add_subcommand("train", "Trains a model on files and keeps a run directory");
  const auto options = std::make_shared<TrainOptions>();
  add_options(*verb, *options);
  return {verb, [options, program] { return run_train(*options, program); }};
}

}  // namespace megalith::tool

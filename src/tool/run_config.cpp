// SPDX-License-Identifier: Apache-2.0
#include "run_config.h"

#include <algorithm>
#include <filesystem>

#include "../page/numbers.h"
#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/config_file.h"
#include "megalith/models/structure.h"
#include "megalith/models/zoo.h"
#include "megalith/train/recipes.h"
#include "standard_input.h"

namespace megalith::tool {
namespace {

using page::counted, page::plural;

/// A path that still holds when the run is resumed from another folder.
std::string absolute(const std::string& path) {
  check(!path.empty(), "a path is empty");
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::vector<std::string> absolute(std::vector<std::string> paths) {
  for (std::string& path : paths) path = absolute(path);
  return paths;
}

constexpr const char* kStandardInput = "-";

/// The paths of --data, with the file that standard input was kept in.
std::vector<std::string> data_paths(const TrainOptions& o) {
  std::vector<std::string> paths = o.data;
  for (std::string& path : paths)
    if (path == kStandardInput) path = StandardInput::path_in(o.out);
  return absolute(paths);
}

std::optional<Budget> budget(const TrainOptions& o) {
  if (!o.steps && !o.bytes && !o.minutes) return std::nullopt;
  return Budget{.steps = o.steps.value_or(0), .bytes = o.bytes.value_or(0), .minutes = o.minutes.value_or(0)};
}

/// What was given, or nothing.
template <class T>
std::optional<std::vector<T>> unless_empty(const std::vector<T>& given) {
  return given.empty() ? std::nullopt : std::optional(given);
}

/// Calls f(option, what was given, the setting) for each setting that changes what a run ends with.
template <class F>
void for_each_setting(const TrainOptions& o, RunConfig& run, F&& f) {
  const auto init = o.init ? std::optional(absolute(*o.init)) : std::nullopt;
  f("the ratio of weights in --data", unless_empty(o.weights), run.data.weights);
  f("--include", unless_empty(o.patterns.include), run.data.include);
  f("--exclude", unless_empty(o.patterns.exclude), run.data.exclude);
  f("--valid-share", o.valid_share, run.data.valid_share);
  if (!o.more) f("the budget", budget(o), run.train.budget);
  f("--batch", o.batch, run.train.batch);
  f("--accumulate", o.accumulate, run.train.accumulate);
  f("--length", o.length, run.model.length);
  f("--stream", o.stream, run.train.stream);
  f("--carry", o.carry, run.train.carry);
  f("--across-files", o.across_files, run.train.across_files);
  f("--record", o.record, run.model.record.bytes);
  f("--scan", o.scan, run.model.record.scan);
  f("--lr", o.lr, run.train.schedule.peak);
  f("--warmup", o.warmup, run.train.schedule.warmup_steps);
  f("--schedule", o.schedule, run.train.schedule.kind);
  f("--average", o.average, run.train.average);
  f("--init", init, run.train.init);
  f("--patience", o.patience, run.train.patience);
  f("--precision", o.precision, run.train.precision);
  f("--seed", o.seed, run.train.seed);
  for (ScaleConfig& scale : run.model.scales) {
    f("--dropout", o.dropout, scale.stack.dropout);
    f("--recompute", o.recompute, scale.stack.recompute);
  }
}

template <class T>
std::string shown(const T& value) {
  return text(value);
}
std::string shown(const std::string& value) { return value.empty() ? "none" : value; }
template <class T>
std::string shown(const std::vector<T>& values) {
  std::string all;
  for (const T& value : values) all += text(all.empty() ? "" : std::is_arithmetic_v<T> ? ":" : " ", value);
  return all.empty() ? "none" : all;
}
std::string shown(ScheduleKind kind) { return std::string(to_string(kind)); }
std::string shown(Precision precision) { return std::string(to_string(precision)); }
std::string shown(const ScanConfig& scan) { return to_string(scan); }
std::string shown(const Budget& budget) { return budget_text(budget); }

/// Where the data lie. A run does not depend on it: the trainer compares the bytes themselves.
void set_paths(const TrainOptions& o, DataConfig& data) {
  if (!o.data.empty()) data.train = data_paths(o);
  if (!o.valid.empty()) data.valid = absolute(o.valid);
}

[[noreturn]] void refuse(const std::string& option, const std::string& given, const std::string& of_run) {
  throw Error(text(option, " is ", given, ", and the run in --out was started with ", of_run,
                   "; leave the option out to resume it, or start a new run in another folder"));
}

/// The budget of a run that is to be trained longer.
Budget longer(const TrainOptions& o, const Budget& now) {
  const Budget more = *budget(o);
  const bool same = (more.steps > 0) == (now.steps > 0) && (more.bytes > 0) == (now.bytes > 0);
  check(same, "the run in --out was started for ", budget_text(now), ", and ", budget_text(more),
        " more are given; give more of the same kind");
  Budget all{.minutes = now.minutes + more.minutes};
  const bool fits = !__builtin_add_overflow(now.steps, more.steps, &all.steps) &&
                    !__builtin_add_overflow(now.bytes, more.bytes, &all.bytes);
  check(fits, budget_text(now), " and ", budget_text(more), " more are too many to count");
  return all;
}

RunConfig resumed(const TrainOptions& o) {
  RunConfig run = load_run_config(o.out);
  if (o.model && !same_structure(load_config(*o.model), run.model)) refuse("--model", *o.model, model_name(run.model));
  for_each_setting(o, run, [](const char* option, const auto& given, const auto& setting) {
    if (given && *given != setting) refuse(option, shown(*given), shown(setting));
  });
  if (o.more) run.train.budget = longer(o, run.train.budget);
  // What came from standard input moves with the folder of the run.
  std::error_code error;
  const std::string kept = absolute(StandardInput::path_in(o.out));
  for (std::string& path : run.data.train)
    if (std::filesystem::path(path).filename() == std::filesystem::path(kept).filename() &&
        !std::filesystem::exists(path, error) && std::filesystem::exists(kept, error))
      path = kept;
  set_paths(o, run.data);
  return run;
}

RunConfig fresh(const TrainOptions& o) {
  if (o.data.empty()) throw CLI::RequiredError("--data");
  if (o.more)
    throw CLI::ValidationError(o.steps   ? "--steps"
                               : o.bytes ? "--bytes"
                                         : "--minutes",
                               "a number with + trains a run longer; give --resume too, or the number without +");
  RunConfig run;
  // Weights to start from bring their structure along.
  run.model = o.model || !o.init ? load_config(o.model.value_or(kDefaultModel)) : load_checkpoint_config(*o.init);
  run.train = recipe(model_name(run.model));
  run.train.budget.minutes = kDefaultMinutes;
  for_each_setting(o, run, [](const char*, const auto& given, auto& setting) {
    if (given) setting = *given;
  });
  // A picture is a record.
  const ScanConfig& scan = run.model.record.scan;
  if (o.scan && !o.record && scan.kind == ScanKind::patch) run.model.record.bytes = bytes_of_picture(scan);
  if (o.warmup) {
    run.train.schedule.warmup_share = 1;
    const std::int64_t steps = run.train.budget.steps;
    check(steps == 0 || *o.warmup < steps, "the warm-up of --warmup ", *o.warmup, " is no shorter than the run of ",
          counted(steps, "step"), "; give a smaller --warmup, or more --steps");
  }
  set_paths(o, run.data);
  return run;
}

}  // namespace

bool TrainOptions::reads_standard_input() const {
  return !resume && std::find(data.begin(), data.end(), kStandardInput) != data.end();
}

void refuse_unused(const TrainOptions& o, std::int64_t sample_every) {
  if (sample_every > 0) return;
  if (o.prompt) throw CLI::RequiresError("--prompt", "--sample-every");
  if (o.sample_bytes) throw CLI::RequiresError("--sample-bytes", "--sample-every");
}

RunConfig run_config(const TrainOptions& o) {
  if (o.sample_every || !o.resume) refuse_unused(o, o.sample_every.value_or(0));  // a resumed run may have it
  RunConfig run = o.resume ? resumed(o) : fresh(o);
  if (o.eval_bytes) run.train.eval_bytes = *o.eval_bytes;
  if (o.eval_every) run.train.eval_every = *o.eval_every;
  else if (!o.resume)
    run.train.eval_every = run.train.modest_eval_every(make_summary(run.model)->predicted(run.model.length));
  if (o.save_every_minutes) run.train.save_every_minutes = *o.save_every_minutes;
  return run;
}

std::string budget_text(const Budget& budget) {
  if (budget.steps > 0) return counted(budget.steps, "step");
  if (budget.bytes > 0) return counted(budget.bytes, "byte");
  return text(budget.minutes, " ", plural(budget.minutes, "minute"));
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
#include "train_options.h"

#include <algorithm>
#include <filesystem>

#include "counted.h"
#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/config_file.h"
#include "megalith/models/zoo.h"
#include "megalith/train/recipes.h"
#include "options.h"
#include "sample_log.h"
#include "standard_input.h"

namespace megalith::tool {
namespace {

constexpr const char* kDefaultModel = "megabyte-tiny";
constexpr double kDefaultMinutes = 10;

/// A path that still holds when the run is resumed from another folder.
std::string absolute(const std::string& path) {
  check(!path.empty(), "a path given with --data or --valid is empty");
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

/// Calls f(option, what was given, the setting) for each setting that changes what a run ends with.
template <class F>
void for_each_setting(const TrainOptions& o, RunConfig& run, F&& f) {
  const auto init = o.init ? std::optional(absolute(*o.init)) : std::nullopt;
  f("--valid-share", o.valid_share, run.data.valid_share);
  f("the budget", budget(o), run.train.budget);
  f("--batch", o.batch, run.train.batch);
  f("--accumulate", o.accumulate, run.train.accumulate);
  f("--length", o.length, run.model.length);
  f("--lr", o.lr, run.train.schedule.peak);
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
std::string shown(ScheduleKind kind) { return std::string(to_string(kind)); }
std::string shown(Precision precision) { return std::string(to_string(precision)); }
std::string shown(const Budget& b) {
  if (b.steps > 0) return text(b.steps, " ", plural(static_cast<double>(b.steps), "step"));
  if (b.bytes > 0) return text(b.bytes, " ", plural(static_cast<double>(b.bytes), "byte"));
  return text(b.minutes, " ", plural(b.minutes, "minute"));
}

/// Where the data lie. A run does not depend on it: the trainer compares the bytes themselves.
void set_paths(const TrainOptions& o, DataConfig& data) {
  if (!o.data.empty()) data.train = data_paths(o);
  if (!o.valid.empty()) data.valid = absolute(o.valid);
}

/// Whether two models differ at most in length, dropout, recomputation and first values.
bool same_structure(ModelConfig a, const ModelConfig& b) {
  if (a.scales.size() != b.scales.size()) return false;
  a.length = b.length;
  a.init_std = b.init_std;
  a.residual_init = b.residual_init;
  for (std::size_t i = 0; i < a.scales.size(); ++i) {
    a.scales[i].stack.dropout = b.scales[i].stack.dropout;
    a.scales[i].stack.recompute = b.scales[i].stack.recompute;
  }
  return a == b;
}

[[noreturn]] void refuse(const std::string& option, const std::string& given, const std::string& of_run) {
  throw Error(text(option, " is ", given, ", and the run in --out was started with ", of_run,
                   "; leave the option out to resume it, or start a new run in another folder"));
}

RunConfig resumed(const TrainOptions& o) {
  RunConfig run = load_run_config(o.out);
  if (o.model && !same_structure(load_config(*o.model), run.model)) refuse("--model", *o.model, model_name(run.model));
  for_each_setting(o, run, [](const char* option, const auto& given, const auto& setting) {
    if (given && *given != setting) refuse(option, shown(*given), shown(setting));
  });
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
  RunConfig run;
  // Weights to start from bring their structure along.
  run.model = o.model || !o.init ? load_config(o.model.value_or(kDefaultModel)) : load_checkpoint_config(*o.init);
  run.train = recipe(model_name(run.model));
  run.train.budget.minutes = kDefaultMinutes;
  for_each_setting(o, run, [](const char*, const auto& given, auto& setting) {
    if (given) setting = *given;
  });
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
  else if (!o.resume) run.train.eval_every = run.train.modest_eval_every(run.model.length);
  if (o.save_every_minutes) run.train.save_every_minutes = *o.save_every_minutes;
  return run;
}

std::string model_name(const ModelConfig& config) {
  for (const Preset& preset : presets())
    if (same_structure(preset.config, config)) return preset.name;
  return "a model of its own";
}

void add_options(CLI::App& verb, TrainOptions& o) {
  const TrainConfig defaults;
  const auto with_default = [](const char* description, const auto& value) { return text(description, " [", value, "]"); };
  const auto of_recipe = [](const char* description, const auto& value) {
    return text(description, " [that of the named model; ", value, " for others]");
  };

  verb.add_option(
          "--data", o.data,
          "Files to learn from, or folders that stand for all files under them; - for standard input, which the run keeps")
      ->type_name("PATH");
  auto* valid = verb.add_option("--valid", o.valid, "Files to validate on")->type_name("PATH");
  verb.add_option("--valid-share", o.valid_share, "Or this share, held out at the end of the data")
      ->check(share_below_one())
      ->excludes(valid)
      ->type_name("X");
  verb.add_option("--model", o.model, text("A name from `megalith models`, or a file [", kDefaultModel, "]"))
      ->type_name("NAME|FILE.json");
  verb.add_option("--out", o.out, "The run directory, which must not hold a run yet")->required()->type_name("DIR");
  verb.add_flag("--resume", o.resume,
                "Goes on with the run in --out, which knows all its options; --data and --valid say where "
                "data lie that have moved");

  auto* steps = verb.add_option("--steps", o.steps, "How long to train: in steps")->check(whole_number(1))->type_name("N");
  auto* bytes = verb.add_option("--bytes", o.bytes, "in bytes")->check(whole_number(1))->excludes(steps)->type_name("N");
  verb.add_option("--minutes", o.minutes, with_default("or in minutes", kDefaultMinutes))
      ->check(positive_number())
      ->excludes(steps)
      ->excludes(bytes)
      ->type_name("X");

  verb.add_option("--batch", o.batch, of_recipe("Windows in a batch", defaults.batch))
      ->check(whole_number(1))
      ->type_name("N");
  verb.add_option("--length", o.length, "Bytes in a window [the model's]")->check(whole_number(1))->type_name("N");
  verb.add_option("--accumulate", o.accumulate, with_default("Batches in a step", defaults.accumulate))
      ->check(whole_number(1))
      ->type_name("N");
  verb.add_option("--lr", o.lr, of_recipe("Peak learning rate", defaults.schedule.peak))
      ->check(positive_number())
      ->type_name("X");
  const auto add_choice = [&](const char* option, auto& value, auto from_name, const std::string& description) {
    return verb.add_option_function<std::string>(
        option,
        [&value, option, from_name](const std::string& name) {
          try {
            value = from_name(name);
          } catch (const Error& error) {
            throw CLI::ValidationError(option, error.what());
          }
        },
        description);
  };
  add_choice("--schedule", o.schedule, parse_schedule_kind,
             of_recipe("linear, cosine or cooldown, after a warm-up", to_string(defaults.schedule.kind)))
      ->type_name("linear|cosine|cooldown");
  add_choice(
      "--precision", o.precision, parse_precision,
      with_default("Of products: fp32, or bf16, which is faster where the processor has it", to_string(defaults.precision)))
      ->type_name("fp32|bf16");
  verb.add_flag_callback(
      "--recompute", [&o] { o.recompute = true; }, "Keeps less of the forward pass in memory and computes it again");
  verb.add_option("--dropout", o.dropout, "Dropout of each residual branch [the model's]")
      ->check(share_below_one())
      ->type_name("X");
  verb.add_option("--average", o.average, "Decay of a moving average of the weights, as 0.999 [none]")
      ->check(share_below_one())
      ->type_name("X");
  verb.add_option("--init", o.init, "Starts from these weights, and with their model unless --model is given")
      ->type_name("CHECKPOINT");
  verb.add_option("--seed", o.seed, with_default("Of weights, data and dropout", defaults.seed))
      ->check(whole_number(0))
      ->type_name("N");
  add_threads(verb, o.threads);

  verb.add_option("--eval-every", o.eval_every,
                  "Steps between validations; 0: at the end [where they cost a hundredth of training]")
      ->check(whole_number(0))
      ->type_name("N");
  verb.add_option("--eval-bytes", o.eval_bytes,
                  with_default("Size of their evenly spread sample; 0: everything", defaults.eval_bytes))
      ->check(whole_number(0))
      ->type_name("N");
  verb.add_option("--patience", o.patience, "Stops after N validations in a row that bring no new best [never]")
      ->check(whole_number(1))
      ->type_name("N");
  verb.add_option("--save-every", o.save_every_minutes,
                  with_default("Minutes between checkpoints; 0: at start and end", defaults.save_every_minutes))
      ->check(number_from_zero())
      ->type_name("MINUTES");
  const SampleOptions sample;
  verb.add_option("--sample-every", o.sample_every,
                  "Steps between texts that the model writes, kept in samples.jsonl [none]")
      ->check(whole_number(0))
      ->type_name("N");
  verb.add_option("--sample-bytes", o.sample_bytes, with_default("Their length", sample.bytes))
      ->check(whole_number(1, SampleOptions::kMaxBytes))
      ->type_name("N");
  verb.add_option("--prompt", o.prompt, "What they begin with [nothing]")->type_name("TEXT");
}

}  // namespace megalith::tool

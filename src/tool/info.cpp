// SPDX-License-Identifier: Apache-2.0
// megalith info: the parameters, FLOPs and memory of a model.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../models/config_json.h"
#include "../page/numbers.h"
#include "../train/run_config_json.h"
#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/run_names.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/zoo.h"
#include "megalith/runtime/processors.h"
#include "megalith/runtime/scratch_memory.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/recipes.h"
#include "megalith/train/run_config.h"
#include "megalith/train/training_memory.h"
#include "options.h"
#include "table.h"
#include "verb.h"

namespace megalith::tool {
namespace {

using page::grouped;

using Json = nlohmann::ordered_json;

/// Bytes that the tool takes beside what it computes with: its heap and the stacks of its threads.
constexpr double kProgramBytes = 1.2e6;

struct InfoOptions {
  std::string model;
  Index batch = 0, length = 0;  // 0: that of the run, or of the named model
  bool json = false;
};

/// A model and the settings with which it would be trained.
struct Subject {
  std::string name;
  ModelConfig config;
  Shape batch;
  bool average = false;
  double optimizer_bytes = 0;  // for each parameter
};

Subject subject_of(const InfoOptions& options) {
  Subject d;
  std::error_code none;
  TrainConfig train;
  if (std::filesystem::exists(options.model, none) && !options.model.ends_with(".json")) {
    d.config = load_checkpoint_config(options.model);
    d.name = model_name(d.config);
    const bool is_run = std::filesystem::exists(run_names::path_in(options.model, run_names::kConfig), none);
    train = is_run ? load_run_config(options.model).train : recipe(d.name);
  } else if (options.model.ends_with(".json")) {
    const auto document = detail::ConfigDocument::load(options.model);
    d.config = document.valid_model();
    d.name = model_name(d.config);
    train = document.is_run() ? detail::read_run_config(document).train : recipe(d.name);
  } else {
    d.config = preset(options.model).config;
    d.name = model_name(d.config);
    train = recipe(d.name);
  }
  // Edited settings of a run may say anything.
  check(train.batch >= 1 && train.batch <= kMaxWindows && train.length >= 0 && train.length <= d.config.length,
        options.model, ": the batch is ", train.batch, " and the length ", train.length, "; no run is trained so");
  d.average = train.average > 0;
  d.optimizer_bytes = make_optimizer(train, {})->bytes_per_parameter();
  d.batch = {options.batch > 0 ? options.batch : train.batch, train.length > 0 ? train.length : d.config.length};
  if (options.length > 0) {
    d.batch.T = d.config.length = options.length;
    d.config.validate();
  }
  return d;
}

/// Everything that is printed, in bytes and numbers.
Json facts_of(const Subject& d) {
  Json parameters = Json::object();
  const auto summary = make_summary(d.config);
  for (const SizePart& part : summary->parameters_by_part())
    parameters[part.name] = static_cast<std::int64_t>(part.parameters);
  parameters["in all"] = static_cast<std::int64_t>(summary->parameter_count());
  const TrainingMemory m = training_memory(*summary, d.batch, d.average, default_threads(), d.optimizer_bytes);
  Json training{{"weights", m.weights}, {"gradient", m.gradient}, {"moments", m.moments}};
  if (d.average) training["average"] = m.average;
  training.update(
      {{"tape", m.tape}, {"scratch", m.scratch}, {"program", kProgramBytes}, {"in all", m.total() + kProgramBytes}});
  const double state = summary->state_bytes(1, d.config.length);
  const double prompt = touched_by_scratch(summary->scoring_scratch_bytes({1, d.config.length}, default_threads()));
  const double forward = flops_per_byte(*summary, d.batch.T);
  return {{"name", d.name},
          {"config", detail::write_config(d.config)},
          {"parameters", parameters},
          {"batch", {{"windows", d.batch.B}, {"length", d.batch.T}}},
          {"training memory", training},
          {"generation memory",
           {{"weights", m.weights},
            {"state", state},
            {"program", kProgramBytes},
            {"in all", m.weights + state + kProgramBytes},
            {"and for a prompt of a whole window", prompt}}},
          {"FLOP per byte", {{"forward", forward}, {"training", 3 * forward}}}};
}

/// Fields of an object, "width 512, layers 6", in lines of limited length.
std::string fields(const Json& object, const std::string& indent) {
  constexpr std::size_t kColumns = 100;
  std::string all, line = indent;
  for (const auto& [key, value] : object.items()) {
    if (value.is_structured()) continue;
    const std::string field = key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
    if (line.size() > indent.size() && line.size() + 2 + field.size() > kColumns) {
      all += line + ",\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? ", " : "") + field;
  }
  return all + line + "\n";
}

void print_text(const Json& all) {
  const Json& config = all["config"];
  std::printf("%s\n%s", all["name"].get<std::string>().c_str(), fields(config, "  ").c_str());
  if (const Json& record = config["record"]; record["bytes"] != 1) {
    std::printf("  record\n%s", fields(record, "    ").c_str());
    if (record["scan"]["kind"] != "none") std::printf("    scan\n%s", fields(record["scan"], "      ").c_str());
  }
  for (const Json& scale : config["scales"]) {
    const Json& stack = scale["stack"];
    std::printf("  scale\n%s%s", fields(scale, "    ").c_str(), fields(stack, "    ").c_str());
    for (const auto& [kind, block] : stack.items())
      if (block.is_object()) std::printf("    %s\n%s", kind.c_str(), fields(block, "      ").c_str());
  }

  const auto print_parts = [](const std::string& title, const Json& parts, double unit, int decimals) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : parts.items())
      rows.push_back({"  " + name, grouped(value.get<double>() / unit, decimals)});
    std::printf("\n%s\n%s", title.c_str(), table(rows).c_str());
  };
  print_parts("parameters", all["parameters"], 1, 0);
  const Json& batch = all["batch"];
  print_parts(text("memory to train on batches of ", batch["windows"], " x ", grouped(batch["length"].get<Index>()),
                   " bytes, in MB"),
              all["training memory"], 1e6, 1);
  print_parts("memory to generate, in MB", all["generation memory"], 1e6, 1);
  print_parts("matrix products per byte, in MFLOP; megalith flops shows them by part", all["FLOP per byte"], 1e6, 3);
}

int run_info(const InfoOptions& options) {
  const Json all = facts_of(subject_of(options));
  if (options.json) std::printf("%s\n", all.dump(2).c_str());
  else print_text(all);
  return kDone;
}

}  // namespace

Verb add_info(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("info", "Shows the parameters, the FLOPs and the memory of a model");
  const auto options = std::make_shared<InfoOptions>();
  verb->add_option("model", options->model, "A name from `megalith models`, a file with a config, a run or a checkpoint")
      ->required()
      ->type_name("NAME|FILE.json|RUN_DIR|CHECKPOINT");
  verb->add_option("--batch", options->batch, "Windows in a batch [that of the run, or of the named model]")
      ->transform(whole_number(1, 1'000'000))
      ->type_name("N");
  verb->add_option("--length", options->length, "Bytes in a window [the model's]")
      ->transform(whole_number(1, 1'000'000'000))
      ->type_name("N");
  verb->add_flag("--json", options->json, "Prints JSON, in bytes and FLOP");
  // The share is what bash bench/memory.sh measured.
  verb->footer(
      "Memory to train: weights, gradient, the optimiser's moments, the tape of activations that backward needs,\n"
      "scratch at its highest, in a step or in a validation, and the program. Memory to generate: weights, the\n"
      "keys and values of one sequence, and the program; a long prompt takes scratch beside. The anonymous\n"
      "memory of a process is within 10 % of the sum.");
  return {verb, [options] { return run_info(*options); }};
}

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// The input is JSON: the config of a model, or the config.json of a run.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "megalith/models/config_json.h"
#include "megalith/models/model_summary.h"
#include "megalith/train/run_config.h"
#include "megalith/train/training_memory.h"
#include "outcome.h"

namespace megalith::fuzz {
namespace {

bool positive(double x) { return std::isfinite(x) && x > 0; }

/// What is told about a valid config before a model is made of it.
void describe(const ModelConfig& config) {
  const auto summary = make_summary(config);
  require(summary->parameter_count() > 0, "a model has parameters");
  const Shape most{Index{1} << 20, config.length};  // windows that a run may ask for
  require(positive(training_memory(*summary, most, false, 2, 8).total()), "training takes memory");
  require(positive(summary->state_bytes(1, config.length)), "generating takes memory");
  require(positive(summary->flops({1, config.length})), "a model computes");
}

bool read_model(std::string_view json) {
  ModelConfig config;
  if (!accepts([&] { config = config_from_json(json, "the input"); })) return false;
  const ModelConfig again = config_from_json(to_json(config), "what was written");
  require(again == config && first_difference(again, config).empty(), "a config comes back from JSON");
  if (accepts([&] { config.validate(); })) describe(config);
  return true;
}

bool read_run(std::string_view json) {
  RunConfig run;
  if (!accepts([&] { run = run_config_from_json(json, "the input"); })) return false;
  const RunConfig again = run_config_from_json(to_json(run), "what was written");
  require(again.model == run.model && again.train == run.train && again.data == run.data, "a run comes back from JSON");
  if (accepts([&] { run.train.validate(*make_summary(run.model)); }))
    require(run.train.modest_eval_every(run.model.length) >= 1, "the default interval of validations is at least a step");
  return true;
}

}  // namespace
}  // namespace megalith::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const bool model = megalith::fuzz::read_model(json), run = megalith::fuzz::read_run(json);
  megalith::fuzz::require(!model || !run, "the config of a model is not that of a run");
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Writes the valid files among the corpora, and those that the command lines of corpus/options name:
//   fuzz_make_seeds tests/fuzz
#include <filesystem>
#include <fstream>
#include <string>

#include "megalith/core/version.h"
#include "megalith/io/checkpoint.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/config_json.h"
#include "megalith/models/zoo.h"
#include "megalith/nn/linear_transformer_config.h"
#include "megalith/train/run_config.h"
#include "tiny_run.h"

namespace megalith::fuzz {
namespace {

void write(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

/// Two scales, every part that a model can have.
ModelConfig all_parts() {
  ModelConfig config{.length = 8, .scales = {tiny_scale(2, 3), tiny_scale(1, 2)}, .tied = false, .soft_cap = 15};
  config.scales[0].embedding = 1;
  config.scales[1].first_input = FirstInput::previous;
  for (ScaleConfig& scale : config.scales) {
    scale.stack.positions = PositionKind::learned;
    scale.stack.bias = true;
    TransformerConfig& block = scale.stack.block.as<TransformerConfig>();
    block.norm = NormKind::layer;
    block.qk_norm = true;
    block.activation = Activation::swiglu;
  }
  return config;
}

/// Linear transformers over convolved patches.
ModelConfig linear_convolution() {
  ModelConfig config{.length = 8, .scales = {tiny_scale(2, 2), tiny_scale(1, 2)}};
  config.scales[0].convolution = true;
  for (ScaleConfig& scale : config.scales) scale.stack.block = LinearTransformerConfig{.heads = 1, .hidden = 1};
  return config;
}

/// All parts, of pictures.
ModelConfig with_records() {
  ModelConfig config = all_parts();
  config.record = {8, {.kind = ScanKind::patch, .width = 4, .height = 2, .channels = 1, .tile = 2}};
  return config;
}

/// A tensor of each kind of number, and an empty one.
void write_all_types(const std::string& path) {
  const std::uint64_t numbers[2] = {};
  SafetensorsWriter writer;
  for (int type = 0; type <= static_cast<int>(DType::boolean); ++type)
    writer.add(std::string(type_name(static_cast<DType>(type))), static_cast<DType>(type), {2, 1}, numbers);
  writer.add("empty", DType::f32, {0, 7}, nullptr);
  writer.metadata("kind", "no model");
  writer.write(path);
}

void write_checkpoints(const std::string& folder) {
  write_all_types(folder + "/all_types");
  const ModelConfig three{.length = 8, .scales = {tiny_scale(4, 4), tiny_scale(2, 2), tiny_scale(1, 1)}};
  save_model(folder + "/one_scale", *make_model(tiny_config()));
  save_model(folder + "/two_scales", *make_model(all_parts()));
  save_model(folder + "/three_scales", *make_model(three));
  TinyRun run;
  detail::save_state(folder + "/state", run.settings, {}, run.tensors());
}

RunConfig run_config() {
  RunConfig run;
  run.model = all_parts();
  run.train.budget.steps = 1;
  run.data = {.train = {"data.txt"}, .valid = {}, .valid_share = 0.1, .separator = "\n"};
  return run;
}

void write_configs(const std::string& folder) {
  write(folder + "/all_parts", to_json(all_parts()));
  write(folder + "/linear_convolution", to_json(linear_convolution()));
  write(folder + "/three_scales", to_json(preset("megabyte-three-scale").config));
  write(folder + "/perceiver", to_json(preset("perceiver-small").config));
  write(folder + "/run", to_json(run_config()));
  write(folder + "/records", to_json(with_records()));
}

void write_files(const std::string& folder) {
  std::filesystem::create_directories(folder + "/run");
  write(folder + "/model.json", to_json(tiny_config()));
  write(folder + "/run/config.json", to_json(run_config()));
  save_model(folder + "/run/model.safetensors", *make_model(all_parts()));
}

}  // namespace
}  // namespace megalith::fuzz

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  megalith::fuzz::write_checkpoints(folder + "/corpus/checkpoint");
  megalith::fuzz::write_configs(folder + "/corpus/config");
  megalith::fuzz::write_files(folder + "/files");
}

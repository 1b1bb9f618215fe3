// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "../strict_json.h"
#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/config_json.h"
#include "megalith/models/config_size.h"

namespace megalith {
namespace {

using detail::in_quotes;

constexpr const char* kFormat = "megalith";

/// A file that says it is a model of ours, and the config that it says it has.
struct Checkpoint {
  SafetensorsReader file;
  ModelConfig config;
};

std::string file_of(const std::string& run_dir_or_file) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir_or_file, error)) return run_dir_or_file;
  const std::filesystem::path path = std::filesystem::path(run_dir_or_file) / "model.safetensors";
  check(std::filesystem::exists(path, error), "the folder ", run_dir_or_file, " holds no model.safetensors");
  return path.string();
}

const std::string& metadata(const SafetensorsReader& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  check(found != file.metadata().end(), file.path(), " is no model of megalith: its metadata lacks ", in_quotes(key));
  return found->second;
}

/// Opens a file and checks everything that can be checked before a model is made.
Checkpoint open_checkpoint(const std::string& run_dir_or_file) {
  SafetensorsReader file(file_of(run_dir_or_file));
  check(metadata(file, "format") == kFormat, file.path(), " is no model of megalith: its format is ",
        in_quotes(metadata(file, "format")));
  check(metadata(file, "format_version") == std::to_string(kCheckpointVersion), file.path(), " has the format version ",
        in_quotes(metadata(file, "format_version")), ", and this library reads version ", kCheckpointVersion);
  const std::string where = "the config in " + file.path();
  ModelConfig config = config_from_json(metadata(file, "config"), where);
  try {
    config.validate();
  } catch (const Error& e) {
    throw Error(file.path() + ": " + e.what());
  }

  Index numbers = 0;
  for (const auto& [name, info] : file.tensors()) {
    check(info.dtype == DType::f32, file.path(), ": tensor ", in_quotes(name), " is of type ", type_name(info.dtype),
          ", and a model's are F32");
    numbers += static_cast<Index>((info.end - info.begin) / byte_size(info.dtype));
  }
  // Before memory is taken for a model that a damaged config may describe as huge.
  check(numbers == parameter_count(config), file.path(), " holds ", numbers,
        " numbers, but its config describes a model of ", parameter_count(config), " parameters");
  return {std::move(file), std::move(config)};
}

/// Each parameter must be in the file with its shape, and each tensor of the file must be a parameter. Then copies all.
void copy_parameters(const SafetensorsReader& file, const std::vector<Parameter>& parameters) {
  std::set<std::string> used;
  for (const Parameter& p : parameters) {
    const TensorInfo& info = file.info(p.name);
    check(std::ranges::equal(info.shape, p.tensor->dims()), file.path(), ": tensor ", in_quotes(p.name), " has the shape ",
          shape_text(info.shape), ", and the model's is ", shape_text(p.tensor->dims()));
    used.insert(p.name);
  }
  for (const auto& [name, info] : file.tensors())
    check(used.contains(name), file.path(), " has a tensor ", in_quotes(name), " that the model lacks");
  for (const Parameter& p : parameters) file.read(p.name, p.tensor->span());
}

/// The config with defaults filled in and without what does not change the meaning of parameters.
ModelConfig structure(ModelConfig config) {
  const bool learned = !config.scales.empty() && config.scales[0].stack.positions == PositionKind::learned;
  if (!learned) config.length = 0;
  config.init_std = config.residual_init = 0;
  for (ScaleConfig& scale : config.scales) {
    scale.embedding = embedding_width(scale);
    scale.stack.hidden = hidden_width(scale.stack);
    scale.stack.dropout = 0;
    if (scale.stack.positions != PositionKind::rotary) scale.stack.rotary_base = 0;
  }
  return config;
}

}  // namespace

void save_model(const std::string& path, AnyModel& model, const std::map<std::string, std::string>& extra) {
  save_model(path, model.config(), model.parameters(), extra);
}

void save_model(const std::string& path, const ModelConfig& config, std::span<const Parameter> values,
                const std::map<std::string, std::string>& extra) {
  SafetensorsWriter writer;
  for (const auto& [key, value] : extra) writer.metadata(key, value);
  writer.metadata("format", kFormat);
  writer.metadata("format_version", std::to_string(kCheckpointVersion));
  writer.metadata("library_version", kLibraryVersion);
  writer.metadata("config", to_json(config));
  for (const Parameter& p : values) {
    const auto dims = p.tensor->dims();
    writer.add(p.name, DType::f32, {dims.begin(), dims.end()}, p.tensor->data());
  }
  writer.write(path);
}

std::unique_ptr<AnyModel> load_model(const std::string& run_dir_or_file) {
  const Checkpoint checkpoint = open_checkpoint(run_dir_or_file);
  std::unique_ptr<AnyModel> model = make_model(checkpoint.config);
  copy_parameters(checkpoint.file, model->parameters());
  return model;
}

ModelConfig load_checkpoint_config(const std::string& run_dir_or_file) { return open_checkpoint(run_dir_or_file).config; }

void load_parameters(const std::string& run_dir_or_file, AnyModel& model) {
  const Checkpoint checkpoint = open_checkpoint(run_dir_or_file);
  const std::string difference = first_difference(structure(checkpoint.config), structure(model.config()));
  check(difference.empty(), checkpoint.file.path(), " and the model differ in ", difference);
  copy_parameters(checkpoint.file, model.parameters());
}

}  // namespace megalith

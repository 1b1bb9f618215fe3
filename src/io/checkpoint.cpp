// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "../json/strict.h"
#include "format_version.h"
#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/io/run_names.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/config_json.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/structure.h"

namespace megalith {
namespace {

using detail::in_quotes;

constexpr const char* kFormat = "megalith";
constexpr const char* kStructure = "structure";  // AnyModel::structure(); files of 0.1.0 do not have it

/// A file that says it is a model of ours, and the config that it says it has.
struct Checkpoint {
  SafetensorsReader file;
  ModelConfig config;
};

std::string file_of(const std::string& run_dir_or_file) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir_or_file, error)) return run_dir_or_file;
  const std::filesystem::path path = std::filesystem::path(run_dir_or_file) / run_names::kModel;
  check(std::filesystem::exists(path, error), "the folder ", run_dir_or_file, " holds no ", run_names::kModel);
  return path.string();
}

const std::string& metadata(const SafetensorsReader& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  check(found != file.metadata().end(), file.path(), " is not a Megalith checkpoint: its metadata lacks ", in_quotes(key));
  return found->second;
}

/// Throws Error unless a file holds a model of this structure, as far as it says.
void check_structure(const SafetensorsReader& file, const std::string& wanted) {
  const auto named = file.metadata().find(kStructure);
  if (named == file.metadata().end() || named->second == wanted) return;
  const auto shown = [](const std::string& structure) {
    return structure.empty() ? std::string("that its config describes") : in_quotes(structure);
  };
  throw Error(
      text("cannot load ", file.path(), ": the file holds a model of the structure ", shown(named->second),
           ", and the one to load is of the structure ", shown(wanted),
           wanted.empty() ? "; make such a model in the program that defines it, and load_parameters() into it" : ""));
}

/// What a file is opened for. A model that is there already may be of a decoder of its own: its parameters are compared one
/// by one.
enum class OpenFor { a_new_model, a_model_that_is_there };

/// Opens a file and checks everything that can be checked before a model is made.
Checkpoint open_checkpoint(const std::string& run_dir_or_file, OpenFor what = OpenFor::a_new_model) {
  SafetensorsReader file(file_of(run_dir_or_file));
  check(metadata(file, "format") == kFormat, file.path(), " is not a Megalith checkpoint: its format is ",
        in_quotes(metadata(file, "format")));
  const auto writer = file.metadata().find("library_version");
  detail::check_format_version(file.path(), metadata(file, "format_version"), kCheckpointVersion,
                               writer == file.metadata().end() ? "" : writer->second);
  const std::string where = "the config in " + file.path();
  ModelConfig config = config_from_json(metadata(file, "config"), where);
  try {
    config.validate();
  } catch (const Error& e) {
    throw Error(file.path() + ": " + e.what());
  }
  double numbers = 0;
  for (const auto& [name, info] : file.tensors()) {
    check(info.dtype == DType::f32, file.path(), ": tensor ", in_quotes(name), " is of type ", type_name(info.dtype),
          ", and a model's are F32");
    numbers += static_cast<double>((info.end - info.begin) / byte_size(info.dtype));
  }
  // Before memory is taken for a model that a damaged config may describe as huge.
  if (what == OpenFor::a_model_that_is_there) return {std::move(file), std::move(config)};
  check_structure(file, "");
  const double parameters = make_summary(config)->parameter_count();
  check(numbers == parameters, file.path(), " holds ", static_cast<std::int64_t>(numbers),
        " numbers, but its config describes a model of ", static_cast<std::int64_t>(parameters), " parameters");
  return {std::move(file), std::move(config)};
}

/// Each parameter must be in the file with its shape, and each tensor of the file must be a parameter.
void check_parameters(const SafetensorsReader& file, const std::vector<Parameter>& parameters) {
  std::set<std::string> used;
  for (const Parameter& p : parameters) {
    const TensorInfo& info = file.info(p.name);
    check(std::ranges::equal(info.shape, p.tensor->dims()), file.path(), ": tensor ", in_quotes(p.name), " has the shape ",
          shape_text(info.shape), ", and the model's is ", shape_text(p.tensor->dims()));
    used.insert(p.name);
  }
  for (const auto& [name, info] : file.tensors())
    check(used.contains(name), file.path(), " has a tensor ", in_quotes(name), " that the model lacks");
}

/// Copies a tensor that must be a parameter's.
void read_finite(const SafetensorsReader& file, const std::string& name, std::span<float> out) {
  file.read(name, out);
  const auto wrong = std::find_if_not(out.begin(), out.end(), [](float x) { return std::isfinite(x); });
  if (wrong == out.end()) return;
  throw Error(text(file.path(), ": tensor ", in_quotes(name), " holds ", *wrong, " as number ", wrong - out.begin(),
                   ", and a model's are finite: the file is damaged"));
}

bool learns_positions(const ModelConfig& config) {
  return !config.scales.empty() && config.scales[0].stack.positions == PositionKind::learned;
}

}  // namespace

static void save(const std::string& path, const std::string& structure, const ModelConfig& config,
                 std::span<const Parameter> values, const std::map<std::string, std::string>& extra) {
  SafetensorsWriter writer;
  for (const auto& [key, value] : extra) writer.metadata(key, value);
  writer.metadata("format", kFormat);
  writer.metadata("format_version", std::to_string(kCheckpointVersion));
  writer.metadata("library_version", kLibraryVersion);
  writer.metadata("config", to_json(config));
  writer.metadata(kStructure, structure);
  for (const Parameter& p : values) {
    const auto dims = p.tensor->dims();
    writer.add(p.name, DType::f32, {dims.begin(), dims.end()}, p.tensor->data());
  }
  writer.write(path);
}

void save_model(const std::string& path, const AnyModel& model, const std::map<std::string, std::string>& extra) {
  // Listing the parameters changes nothing, and they are only read here.
  save(path, model.structure(), model.config(), const_cast<AnyModel&>(model).parameters(), extra);
}

void save_model(const std::string& path, const ModelConfig& config, std::span<const Parameter> values,
                const std::map<std::string, std::string>& extra) {
  save(path, "", config, values, extra);
}

std::unique_ptr<AnyModel> load_model(const std::string& run_dir_or_file) {
  const Checkpoint checkpoint = open_checkpoint(run_dir_or_file);
  std::unique_ptr<AnyModel> model = make_model(checkpoint.config);
  const std::vector<Parameter> parameters = model->parameters();
  check_parameters(checkpoint.file, parameters);
  for (const Parameter& p : parameters) read_finite(checkpoint.file, p.name, p.tensor->span());
  return model;
}

ModelConfig load_checkpoint_config(const std::string& run_dir_or_file) { return open_checkpoint(run_dir_or_file).config; }

void load_parameters(const std::string& run_dir_or_file, AnyModel& model) {
  const Checkpoint checkpoint = open_checkpoint(run_dir_or_file, OpenFor::a_model_that_is_there);
  const SafetensorsReader& file = checkpoint.file;
  check_structure(file, model.structure());
  ModelConfig has = structure_of(checkpoint.config), wanted = structure_of(model.config());
  if (!learns_positions(has) && !learns_positions(wanted)) has.length = wanted.length;
  const std::string difference = first_difference(has, wanted);
  check(difference.empty(), "cannot load ", file.path(), ": the file holds a model of ", in_words(checkpoint.config),
        ", this model is ", in_words(model.config()), ", and the first difference is ", difference,
        "; take the model that the file holds, or another file");
  const std::vector<Parameter> parameters = model.parameters();
  check_parameters(file, parameters);
  std::vector<float> numbers;  // looked at before the model changes
  for (const Parameter& p : parameters) {
    numbers.resize(p.tensor->span().size());
    read_finite(file, p.name, numbers);
  }
  for (const Parameter& p : parameters) file.read(p.name, p.tensor->span());
}

}  // namespace megalith

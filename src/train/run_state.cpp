// SPDX-License-Identifier: Apache-2.0
#include "run_state.h"

#include "../strict_json.h"
#include "megalith/core/version.h"
#include "megalith/io/safetensors.h"
#include "run_config_json.h"

namespace megalith::detail {

namespace {

constexpr const char* kFormat = "megalith-state";
constexpr const char* kFormatVersion = "1";
constexpr std::size_t kMostDepth = 16;

/// Calls f(name, tensor) for each tensor of a run.
template <class F>
void for_each_tensor(const RunTensors& tensors, F&& f) {
  const auto over = [&](const char* group, auto&& tensor_of) {
    for (std::size_t p = 0; p < tensors.weights.size(); ++p) f(text(group, ".", tensors.weights[p].name), tensor_of(p));
  };
  over("weights", [&](std::size_t p) -> Tensor<float>& { return *tensors.weights[p].tensor; });
  over("first", [&](std::size_t p) -> Tensor<float>& { return tensors.optimiser.first[p]; });
  over("second", [&](std::size_t p) -> Tensor<float>& { return tensors.optimiser.second[p]; });
  if (tensors.average != nullptr)
    over("average", [&](std::size_t p) -> Tensor<float>& { return *tensors.average->parameters()[p].tensor; });
}

DType type_of(const std::int64_t&) { return DType::i64; }
DType type_of(const double&) { return DType::f64; }

std::vector<Index> shape_of(const Tensor<float>& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

}  // namespace

void save_state(const std::string& path, const nlohmann::json& settings, Counters counters, const RunTensors& tensors) {
  SafetensorsWriter writer;
  writer.metadata("format", kFormat);
  writer.metadata("format_version", kFormatVersion);
  writer.metadata("library_version", kLibraryVersion);
  writer.metadata("settings", settings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  counters.visit([&](const std::string& name, auto& value) { writer.add("run." + name, type_of(value), {1}, &value); });
  for_each_tensor(tensors, [&](const std::string& name, Tensor<float>& tensor) {
    writer.add(name, DType::f32, shape_of(tensor), tensor.data());
  });
  writer.write(path);
}

Counters load_state(const std::string& path, const nlohmann::json& settings, const RunTensors& tensors) {
  const SafetensorsReader reader(path);
  const auto metadata = [&](const std::string& key) {
    const auto found = reader.metadata().find(key);
    return found == reader.metadata().end() ? std::string() : found->second;
  };
  check(metadata("format") == kFormat, path, " is not the state of a run");
  check(metadata("format_version") == kFormatVersion, path, " has format version ", in_quotes(metadata("format_version")),
        ", and this library knows version ", kFormatVersion);
  const nlohmann::json saved = parse_strict(metadata("settings"), path + ": settings", kMostDepth);
  check(saved.is_object() && !saved.empty(), path, ": settings is no JSON object with fields");
  const std::string different = differences(saved, settings);
  check(different.empty(), "resuming with other settings would change the result: ", different);

  Counters counters;
  std::size_t used = 0;
  const auto expect = [&](const std::string& name, DType type, const std::vector<Index>& shape) {
    check(reader.contains(name), path, " has no tensor ", name);
    const TensorInfo& info = reader.info(name);
    check(info.dtype == type && info.shape == shape, path, ": ", name, " is ", type_name(info.dtype), " ",
          shape_text(info.shape), ", and must be ", type_name(type), " ", shape_text(shape));
    ++used;
  };
  counters.visit([&](const std::string& name, auto& value) { expect("run." + name, type_of(value), {1}); });
  for_each_tensor(tensors,
                  [&](const std::string& name, const Tensor<float>& tensor) { expect(name, DType::f32, shape_of(tensor)); });
  check(used == reader.tensors().size(), path, " holds ", reader.tensors().size(), " tensors, and the run has ", used);

  counters.visit([&](const std::string& name, auto& value) { reader.read("run." + name, std::span(&value, 1)); });
  for_each_tensor(tensors, [&](const std::string& name, Tensor<float>& tensor) { reader.read(name, tensor.span()); });
  return counters;
}

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
#include "run_state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>

#include "../io/format_version.h"
#include "../json/strict.h"
#include "../models/config_json.h"
#include "megalith/core/version.h"
#include "megalith/io/input_file.h"
#include "megalith/io/safetensors.h"
#include "run_config_json.h"

namespace megalith::detail {

namespace {

constexpr const char* kFormat = "megalith-state";
constexpr int kFormatVersion = 2;  // 1 had other names in the settings of the model
constexpr std::size_t kMaxDepth = 16;

/// Calls f(name, tensor, numbers) for each tensor of a run; T is Tensor<float>, const for reading.
template <class T, class F>
void for_each_tensor(const RunTensors& tensors, F&& f) {
  using OptimizerOf = std::conditional_t<std::is_const_v<T>, const Optimizer, Optimizer>;
  const auto give = [&](std::string_view group, std::size_t parameter, T& tensor, StateNumbers numbers) {
    f(text(group, ".", tensors.weights[parameter].name), tensor, numbers);
  };
  const auto give_all = [&](std::string_view group, std::span<const Parameter> parameters) {
    for (std::size_t p = 0; p < parameters.size(); ++p) give(group, p, *parameters[p].tensor, StateNumbers::finite);
  };
  give_all("weights", tensors.weights);
  static_cast<OptimizerOf&>(tensors.optimizer).visit_state(Optimizer::Visitor<T>(give));
  if (tensors.average != nullptr) give_all("average", tensors.average->parameters());
}

DType type_of(const std::int64_t&) { return DType::i64; }
DType type_of(const double&) { return DType::f64; }

std::string name_of_stream(std::size_t number) { return text("stream.", number); }

std::vector<Index> shape_of(const Tensor<float>& tensor) { return {tensor.dims().begin(), tensor.dims().end()}; }

}  // namespace

void save_state(const std::string& path, const nlohmann::json& settings, Counters counters, const RunTensors& tensors) {
  SafetensorsWriter writer;
  writer.metadata("format", kFormat);
  writer.metadata("format_version", std::to_string(kFormatVersion));
  writer.metadata("library_version", kLibraryVersion);
  writer.metadata("optimizer", describe(tensors.optimizer));
  writer.metadata("structure", tensors.structure);
  writer.metadata("settings", settings.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  counters.visit([&](const std::string& name, auto& value) { writer.add("run." + name, type_of(value), {1}, &value); });
  for_each_tensor<const Tensor<float>>(tensors, [&](const std::string& name, const Tensor<float>& tensor, StateNumbers) {
    writer.add(name, DType::f32, shape_of(tensor), tensor.data());
  });
  std::vector<std::vector<std::byte>> streams;
  for (const auto& state : tensors.streams) streams.push_back(state->save());
  for (std::size_t i = 0; i < streams.size(); ++i)
    writer.add(name_of_stream(i), DType::u8, {std::ssize(streams[i])}, streams[i].data());
  writer.write(path);
}

void Counters::list_problems(const RunSize& size, Problems& problems) const {
  const std::int64_t countable = std::numeric_limits<std::int64_t>::max() / size.bytes_per_step - 1;
  const std::int64_t max_steps = size.steps > 0 ? std::min(size.steps, countable) : countable;
  if (problems.range("run.step", step, 0, max_steps))
    problems.require(bytes == step * size.bytes_per_step, {"run.bytes", "run.step"}, bytes, step * size.bytes_per_step,
                     " after ", step, " steps");
  problems.range("run.finished", finished, 0, 1);
  problems.not_negative("run.lines", lines);
  problems.not_negative("run.seconds", seconds);
  problems.not_negative("run.lr", lr);
  problems.not_negative("run.grad_norm", grad_norm);
  problems.not_negative("run.line_nats", line_nats);
  problems.not_negative("run.line_seconds", line_seconds);
  problems.range("run.line_bytes", line_bytes, 0, std::max<std::int64_t>(bytes, 0));
  const auto check_validation = [&](const std::string& name, const Validation& v, std::int64_t last) {
    problems.not_negative(name + ".bits_per_byte", v.bits_per_byte);
    problems.not_negative(name + ".bytes", v.bytes);
    problems.range(name + ".step", v.step, -1, std::max<std::int64_t>(last, -1));
  };
  check_validation("run.valid", valid, step);
  check_validation("run.best", best, valid.step);
}

namespace {

/// The metadata of a file that says it is the state of a run.
std::string metadata(const SafetensorsReader& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? std::string() : found->second;
}

/// The settings in a state: groups by the names of `now`.
nlohmann::json read_settings(const SafetensorsReader& file, const nlohmann::json& now) {
  const std::string document = metadata(file, "settings");
  nlohmann::json saved = parse_strict(document, file.path() + ": settings", kMaxDepth);
  for (const auto& group : now.items())
    check(saved.is_object() && saved.contains(group.key()) && saved[group.key()].is_object(), file.path(), ": settings is ",
          in_quotes(document), ", and must be JSON with an object \"", group.key(), "\"");
  saved["model"] = write_config(read_config(saved["model"], file.path() + ": settings: model"));  // as it is written now
  return saved;
}

/// Whether a budget, as JSON, is of the same kind as another one and no smaller.
bool at_least(const nlohmann::json& budget, const nlohmann::json& other) {
  bool same = budget.is_object() && other.is_object();
  for (const char* kind : {"steps", "bytes", "minutes"}) {
    if (!same || !budget.contains(kind) || !other.contains(kind) || !other[kind].is_number()) return false;
    const double now = budget[kind].get<double>(), before = other[kind].get<double>();
    same = (now > 0) == (before > 0) && now >= before;
  }
  return same;
}

/// Throws where a state says that it was saved by a model of another structure.
void check_structure(const SafetensorsReader& file, const std::string& now) {
  const auto saved = file.metadata().find("structure");  // 0.1.0 did not say
  const auto shown = [](const std::string& name) { return name.empty() ? std::string("of its config") : in_quotes(name); };
  check(saved == file.metadata().end() || saved->second == now, file.path(), " was saved by a model of the structure ",
        saved == file.metadata().end() ? "" : shown(saved->second), ", and resuming with one of the structure ", shown(now),
        " would change the result");
}

/// Throws unless a state was saved by this optimiser.
void check_optimizer(const SafetensorsReader& file, const Optimizer& now) {
  // Version 0.1.0 had AdamW alone and did not name it; its settings are among those of the run.
  const std::string named = metadata(file, "optimizer"), saved = named.empty() ? "AdamW" : named;
  const std::string described = named.empty() ? now.name() : describe(now);
  check(saved == described, file.path(), " was saved with the optimiser ", shortened(saved),
        ", and resuming with the optimiser ", describe(now), " would change the result");
}

/// Throws unless a state holds exactly these tensors.
void check_tensors(const SafetensorsReader& file, const RunTensors& tensors) {
  std::size_t used = 0;
  const auto expect = [&](const std::string& name, DType type, const std::vector<Index>& shape) {
    check(file.contains(name), file.path(), " has no tensor ", name);
    const TensorInfo& info = file.info(name);
    check(info.dtype == type && info.shape == shape, file.path(), ": ", name, " is ", type_name(info.dtype), " ",
          shape_text(info.shape), ", and must be ", type_name(type), " ", shape_text(shape));
    ++used;
  };
  Counters().visit([&](const std::string& name, auto& value) { expect("run." + name, type_of(value), {1}); });
  for_each_tensor<const Tensor<float>>(tensors, [&](const std::string& name, const Tensor<float>& tensor, StateNumbers) {
    expect(name, DType::f32, shape_of(tensor));
  });
  for (std::size_t i = 0; i < tensors.streams.size(); ++i)
    expect(name_of_stream(i), DType::u8, {std::ssize(tensors.streams[i]->save())});
  check(used == file.tensors().size(), file.path(), " holds ", file.tensors().size(), " tensors, and the run has ", used);
}

/// Adds a sentence for each tensor with a number that it cannot hold.
void check_numbers(const SafetensorsReader& file, const RunTensors& tensors, Problems& problems) {
  std::vector<float> numbers;
  for_each_tensor<const Tensor<float>>(tensors, [&](const std::string& name, const Tensor<float>& tensor, StateNumbers may) {
    numbers.resize(static_cast<std::size_t>(tensor.size()));
    file.read(name, numbers);
    const bool finite = may == StateNumbers::finite;
    const auto wrong =
        std::find_if(numbers.begin(), numbers.end(), [&](float x) { return finite ? !std::isfinite(x) : !(x >= 0); });
    if (wrong != numbers.end())
      problems.add(name, " holds ", *wrong, ", and must hold ", finite ? "finite numbers" : "numbers that are not negative");
  });
}

/// The States of the streams in a file, checked: those of the run stay as they are.
std::vector<std::unique_ptr<AnyState>> read_streams(const SafetensorsReader& file, const RunTensors& tensors) {
  std::vector<std::unique_ptr<AnyState>> streams;
  for (std::size_t i = 0; i < tensors.streams.size(); ++i) {
    const std::string name = name_of_stream(i);
    std::vector<std::uint8_t> saved(static_cast<std::size_t>(file.info(name).shape[0]));
    file.read(name, saved);
    streams.push_back(tensors.streams[i]->clone());
    try {
      streams.back()->load(std::as_bytes(std::span(saved)));
    } catch (const Error&) {
      throw Error(text(file.path(), ": ", name, " is no State of this model"));
    }
  }
  return streams;
}

}  // namespace

Counters load_state(const std::string& path, const nlohmann::json& settings, const RunSize& size,
                    const RunTensors& tensors) {
  InputFile{path};  // throws here, without the advice: a file that cannot be opened may be valid
  // Whatever is wrong with the file itself, there is one thing to do.
  const auto advised = [](auto&& f) {
    try {
      return f();
    } catch (const Error& error) {
      throw Error(text(error.what(),
                       "; the state is damaged or was edited: put an undamaged copy in its place, or start a run in ",
                       "another folder, from the weights in this one to keep what they learned"));
    }
  };
  const SafetensorsReader reader = advised([&] {
    SafetensorsReader file(path);
    check(metadata(file, "format") == kFormat, path, " is not the state of a run");
    return file;
  });
  check_format_version(path, metadata(reader, "format_version"), kFormatVersion, metadata(reader, "library_version"));
  nlohmann::json saved = advised([&] { return read_settings(reader, settings); });
  const nlohmann::json& budget = settings["train"]["budget"];
  const bool longer = size.may_be_longer && saved["train"]["budget"] != budget && at_least(budget, saved["train"]["budget"]);
  if (longer) saved["train"]["budget"] = budget;
  const std::string different = differences(saved, settings);
  check(different.empty(), path,
        " was saved with other settings or data, and resuming with these would change the result: ", different);
  check_structure(reader, tensors.structure);
  check_optimizer(reader, tensors.optimizer);

  Counters counters;
  std::vector<std::unique_ptr<AnyState>> streams;
  advised([&] {
    check_tensors(reader, tensors);
    counters.visit([&](const std::string& name, auto& value) { reader.read("run." + name, std::span(&value, 1)); });
    Problems problems;
    counters.list_problems(size, problems);
    check_numbers(reader, tensors, problems);
    problems.report(path, ": ");
    streams = read_streams(reader, tensors);
  });
  if (longer) counters.finished = 0;
  for_each_tensor<Tensor<float>>(
      tensors, [&](const std::string& name, Tensor<float>& tensor, StateNumbers) { reader.read(name, tensor.span()); });
  std::move(streams.begin(), streams.end(), tensors.streams.begin());
  return counters;
}

}  // namespace megalith::detail

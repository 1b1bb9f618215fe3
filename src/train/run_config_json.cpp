// SPDX-License-Identifier: Apache-2.0
#include "run_config_json.h"

#include <cstddef>
#include <filesystem>
#include <limits>
#include <type_traits>
#include <utility>

#include "../strict_json.h"
#include "megalith/core/nearest.h"
#include "megalith/core/version.h"
#include "megalith/io/input_file.h"
#include "megalith/models/config_json.h"

namespace megalith {

namespace {

using nlohmann::ordered_json;

constexpr int kFormatVersion = 1;
constexpr std::size_t kMostDepth = 16;
constexpr std::uint64_t kMostBytes = 16 << 20;  // of a config.json

// Each group of settings has one list of its fields, which writing and reading share.

template <class F>
void fields(F& f, Budget& c) {
  f("steps", c.steps);
  f("bytes", c.bytes);
  f("minutes", c.minutes);
}

template <class F>
void fields(F& f, ScheduleConfig& c) {
  f("kind", c.kind);
  f("peak", c.peak);
  f("warmup_steps", c.warmup_steps);
  f("floor", c.floor);
  f("cooldown_share", c.cooldown_share);
}

template <class F>
void fields(F& f, AdamWConfig& c) {
  f("beta1", c.beta1);
  f("beta2", c.beta2);
  f("eps", c.eps);
  f("weight_decay", c.weight_decay);
}

template <class F>
void fields(F& f, DataConfig& c) {
  f("train", c.train);
  f("valid", c.valid);
  f("valid_share", c.valid_share);
  f("separator", c.separator);
}

template <class F>
void fields(F& f, TrainConfig& c) {
  f("budget", c.budget);
  f("batch", c.batch);
  f("accumulate", c.accumulate);
  f("length", c.length);
  f("schedule", c.schedule);
  f("adamw", c.adamw);
  f("clip", c.clip);
  f("average", c.average);
  f("seed", c.seed);
  f("init", c.init);
  f("eval_every", c.eval_every);
  f("eval_bytes", c.eval_bytes);
  f("log_every", c.log_every);
  f("save_every_minutes", c.save_every_minutes);
}

template <class T>
constexpr bool is_group =
    std::is_class_v<T> && !std::is_same_v<T, std::string> && !std::is_same_v<T, std::vector<std::string>>;

struct Writer {
  ordered_json out = ordered_json::object();

  template <class T>
  void operator()(const char* name, T& value) {
    if constexpr (is_group<T>) {
      Writer inner;
      fields(inner, value);
      out[name] = std::move(inner.out);
    } else if constexpr (std::is_same_v<T, ScheduleKind>) out[name] = to_string(value);
    else out[name] = value;
  }
};

template <class Group>
ordered_json written(Group group) {
  Writer writer;
  fields(writer, group);
  return std::move(writer.out);
}

/// Reads an object. A field that is missing keeps its default; one that is not known is an Error.
class Reader {
 public:
  Reader(const nlohmann::json& in, std::string at) : in_(in), at_(std::move(at)) {
    check(in.is_object(), at_, " is not a JSON object");
  }

  template <class T>
  void operator()(const char* name, T& value) {
    known_.emplace_back(name);
    const auto found = in_.find(name);
    if (found == in_.end()) return;
    const std::string where = text(at_, ".", name);
    if constexpr (is_group<T>) {
      Reader inner(*found, where);
      fields(inner, value);
      inner.refuse_unknown();
    } else if constexpr (std::is_same_v<T, ScheduleKind>) {
      check(found->is_string(), where, " is not a string");
      value = schedule_kind(found->template get<std::string>());
    } else if constexpr (std::is_same_v<T, std::string>) {
      check(found->is_string(), where, " is not a string");
      value = found->template get<std::string>();
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      check(found->is_array(), where, " is not an array");
      value.clear();
      for (const nlohmann::json& entry : *found) {
        check(entry.is_string(), where, " holds something that is not a string");
        value.push_back(entry.get<std::string>());
      }
    } else if constexpr (std::is_floating_point_v<T>) {
      check(found->is_number(), where, " is not a number");
      value = found->template get<T>();
    } else {
      const bool fits = std::is_signed_v<T>
                            ? found->is_number_integer() && !(found->is_number_unsigned() &&
                                                              found->template get<std::uint64_t>() >
                                                                  std::uint64_t{std::numeric_limits<std::int64_t>::max()})
                            : found->is_number_unsigned();
      check(fits, where, " is ", found->dump(), ", which is not a whole number in range");
      value = found->template get<T>();
    }
  }

  void refuse_unknown() const {
    for (const auto& entry : in_.items())
      check(std::find(known_.begin(), known_.end(), entry.key()) != known_.end(), at_, " has no field ",
            detail::in_quotes(entry.key()), "; the nearest is \"", nearest(entry.key(), known_), "\"");
  }

 private:
  const nlohmann::json& in_;
  std::string at_;
  std::vector<std::string> known_;
};

template <class Group>
void read_group(const nlohmann::json& all, const char* name, std::string_view where, Group& group) {
  check(all.contains(name), where, " has no \"", name, "\"");
  Reader reader(all.at(name), text(where, ": ", name));
  fields(reader, group);
  reader.refuse_unknown();
}

}  // namespace

std::string to_json(const RunConfig& config) {
  ordered_json out;
  out["format_version"] = kFormatVersion;
  out["library_version"] = kLibraryVersion;
  out["model"] = ordered_json::parse(to_json(config.model));
  out["train"] = written(config.train);
  out["data"] = written(config.data);
  // A file's name may be no text; the file is then read, but its name in config.json is only like it.
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

RunConfig run_config_from_json(std::string_view document, std::string_view where) {
  const nlohmann::json all = detail::parse_strict(document, where, kMostDepth);
  check(all.is_object() && all.contains("format_version"), where, " is not the config.json of a run");
  check(all["format_version"] == kFormatVersion, where, " has format version ", all["format_version"].dump(),
        ", and this library knows version ", kFormatVersion);
  for (const auto& entry : all.items()) {
    const std::vector<std::string> known{"format_version", "library_version", "model", "train", "data"};
    check(std::find(known.begin(), known.end(), entry.key()) != known.end(), where, " has no field ",
          detail::in_quotes(entry.key()), "; the nearest is \"", nearest(entry.key(), known), "\"");
  }
  RunConfig config;
  check(all.contains("model"), where, " has no \"model\"");
  config.model = config_from_json(all["model"].dump(), where);
  read_group(all, "train", where, config.train);
  read_group(all, "data", where, config.data);
  return config;
}

RunConfig load_run_config(const std::string& run_dir) {
  std::error_code error;
  check(std::filesystem::exists(run_dir + "/config.json", error), run_dir, " holds no run: it has no config.json");
  const InputFile file(run_dir + "/config.json");
  check(file.size() <= kMostBytes, file.path(), " has ", file.size(), " bytes, which is too long for a config.json");
  std::string document(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(document)));
  return run_config_from_json(document, file.path());
}

namespace detail {

nlohmann::json result_settings(const ModelConfig& model, const TrainConfig& train, const std::string& data) {
  nlohmann::json train_settings = written(train);
  for (const char* free : {"init", "eval_every", "eval_bytes", "log_every", "save_every_minutes"})
    train_settings.erase(free);
  return {{"model", nlohmann::json::parse(to_json(model))}, {"train", train_settings}, {"data", data}};
}

std::string differences(const nlohmann::json& saved, const nlohmann::json& now) {
  const nlohmann::json before = saved.flatten(), after = now.flatten();
  std::string all;
  const auto add = [&](std::string key, const std::string& was, const std::string& is) {
    std::replace(key.begin(), key.end(), '/', '.');
    all += text(all.empty() ? "" : "; ", key.substr(1), " was ", was, " and is now ", is);
  };
  for (const auto& entry : before.items()) {
    const bool there = after.contains(entry.key());
    if (!there || after[entry.key()] != entry.value())
      add(entry.key(), entry.value().dump(), there ? after[entry.key()].dump() : "missing");
  }
  for (const auto& entry : after.items())
    if (!before.contains(entry.key())) add(entry.key(), "missing", entry.value().dump());
  return all;
}

}  // namespace detail
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "run_config_json.h"

#include <filesystem>
#include <iterator>

#include "../json/fields.h"
#include "../models/config_json.h"
#include "megalith/io/run_names.h"
#include "megalith/train/run_config.h"

namespace megalith {

using nlohmann::ordered_json;

std::string to_json(const RunConfig& config) {
  ordered_json out = detail::begin_run_document(config.model);
  out["train"] = detail::write_fields(config.train);
  out["data"] = detail::write_fields(config.data);
  return out.dump(2) + "\n";
}

RunConfig run_config_from_json(std::string_view document, std::string_view where) {
  return detail::read_run_config(detail::ConfigDocument(document, std::string(where)));
}

RunConfig load_run_config(const std::string& run_dir) {
  std::error_code error;
  const std::string path = run_names::path_in(run_dir, run_names::kConfig);
  check(std::filesystem::exists(path, error), run_dir, " holds no run: it has no ", run_names::kConfig);
  return detail::read_run_config(detail::ConfigDocument::load(path));
}

namespace detail {

RunConfig read_run_config(const ConfigDocument& document) {
  check(document.is_run(), document.where(), " is not the config.json of a run");
  const nlohmann::json& all = document.root();
  RunConfig config;
  config.model = document.model();
  // What runs did that are older than these settings.
  config.train.schedule.warmup_share = 1;
  config.data.spread = config.data.skip_runs = false;
  FieldReader reader;
  std::vector<std::string_view> known(std::begin(kRunFields), std::end(kRunFields));
  const auto read_group = [&](const char* name, auto& group) {
    known.push_back(name);
    if (reader.require_field(all, "", name)) reader.read(all[name], name, group);
  };
  read_group("train", config.train);
  read_group("data", config.data);
  reader.refuse_others(all, "", known);
  reader.report(document.where());
  return config;
}

nlohmann::json result_settings(const ModelConfig& model, const TrainConfig& train, const nlohmann::json& data) {
  nlohmann::json train_settings = write_fields(train);
  for (const char* free : {"init", "log_every", "save_every_minutes"}) train_settings.erase(free);
  if (train.schedule.warmup_share == 1) train_settings["schedule"].erase("warmup_share");  // as before there was one
  if (!train.stream)
    for (const char* other : {"stream", "carry", "across_files"}) train_settings.erase(other);  // likewise
  // Without patience, as in a state from before there was any, validations decide nothing.
  if (train.patience == 0)
    for (const char* free : {"patience", "eval_every", "eval_bytes"}) train_settings.erase(free);
  return {{"model", nlohmann::json(write_config(model))}, {"train", train_settings}, {"data", data}};
}

/// A value as a message shows it.
static std::string shown(const nlohmann::json* value) {
  if (value == nullptr) return "missing";
  return shortened(value->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// Notes each value that differs between two trees; null where one has none.
static void compare(const nlohmann::json* saved, const nlohmann::json* now, const std::string& at, Problems& problems) {
  if (saved != nullptr && now != nullptr && *saved == *now) return;
  const auto same_kind = [&](auto is) { return saved != nullptr && now != nullptr && is(*saved) && is(*now); };
  const auto child = [](const nlohmann::json& of, const auto& key) { return of.contains(key) ? &of[key] : nullptr; };
  const std::string before = at.empty() ? "" : at + ".";
  if (same_kind([](const auto& j) { return j.is_object(); })) {
    for (const auto& [key, value] : saved->items()) compare(&value, child(*now, key), before + key, problems);
    for (const auto& [key, value] : now->items())
      if (!saved->contains(key)) compare(nullptr, &value, before + key, problems);
  } else if (same_kind([](const auto& j) { return j.is_array(); }) && saved->size() == now->size()) {
    for (std::size_t i = 0; i < saved->size(); ++i) compare(&(*saved)[i], &(*now)[i], before + std::to_string(i), problems);
  } else {
    problems.add(at.empty() ? "all of it" : at, " was ", shown(saved), " and is now ", shown(now));
  }
}

std::string differences(const nlohmann::json& saved, const nlohmann::json& now) {
  Problems problems;
  compare(&saved, &now, "", problems);
  return problems.all();
}

}  // namespace detail
}  // namespace megalith

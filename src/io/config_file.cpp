// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/config_file.h"

#include <utility>

#include "../json/strict.h"
#include "../models/config_json.h"
#include "config_document.h"
#include "format_version.h"
#include "megalith/core/check.h"
#include "megalith/core/version.h"
#include "megalith/io/input_file.h"
#include "megalith/models/zoo.h"

namespace megalith {
namespace detail {

constexpr std::size_t kMaxDepth = 16;
constexpr std::uint64_t kMaxBytes = 16 << 20;  // a run may name many files
constexpr int kRunVersion = 2;                 // of a run's config.json

ConfigDocument::ConfigDocument(std::string_view text, std::string where)
    : where_(std::move(where)), root_(parse_strict(text, where_, kMaxDepth)) {}

ConfigDocument ConfigDocument::load(const std::string& path) { return {read_text(path, kMaxBytes), path}; }

bool ConfigDocument::is_run() const { return root_.is_object() && root_.contains("format_version"); }

ModelConfig ConfigDocument::model() const {
  if (!is_run()) return read_config(root_, where_);
  const bool names_writer = root_.contains("library_version") && root_["library_version"].is_string();
  check_format_version(where_, root_["format_version"].dump(), kRunVersion,
                       names_writer ? root_["library_version"].get<std::string>() : "");
  check(root_.contains("model"), where_, " has no \"model\"");
  return read_config(root_["model"], where_ + ": model");
}

ModelConfig ConfigDocument::valid_model() const {
  ModelConfig config = model();
  try {
    config.validate();
  } catch (const Error& e) {
    throw Error(where_ + ": " + e.what());
  }
  return config;
}

nlohmann::ordered_json begin_run_document(const ModelConfig& model) {
  nlohmann::ordered_json run;
  run["format_version"] = kRunVersion;
  run["library_version"] = kLibraryVersion;
  run["model"] = write_config(model);
  return run;
}

}  // namespace detail

ModelConfig load_config(const std::string& name_or_file) {
  if (!name_or_file.ends_with(".json")) return preset(name_or_file).config;
  return detail::ConfigDocument::load(name_or_file).valid_model();
}

}  // namespace megalith

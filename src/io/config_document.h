// SPDX-License-Identifier: Apache-2.0
// A config file: a model's config, or the config.json of a run, which holds one among other things.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "megalith/models/config.h"

namespace megalith::detail {

/// A parsed config file, known as a run's by its format version.
class ConfigDocument {
 public:
  /// `where` names the text in messages. Throws Error on text that is not valid JSON.
  ConfigDocument(std::string_view text, std::string where);
  /// Reads a file. Throws Error as well where that is not possible.
  static ConfigDocument load(const std::string& path);

  bool is_run() const;
  /// The config of the model, as it stands there: see config_from_json(). Throws Error where it cannot be read, such as for
  /// a run's format version that this library does not read.
  ModelConfig model() const;
  /// The same, and throws Error where it is not valid.
  ModelConfig valid_model() const;

  const nlohmann::json& root() const { return root_; }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  nlohmann::json root_;
};

/// A run's config.json with its versions and its model, and nothing else yet.
nlohmann::ordered_json begin_run_document(const ModelConfig& model);

/// The fields that begin_run_document() writes.
inline constexpr const char* kRunFields[] = {"format_version", "library_version", "model"};

}  // namespace megalith::detail

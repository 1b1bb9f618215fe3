// SPDX-License-Identifier: Apache-2.0
// The JSON of a run's settings: for config.json, and for the comparison when a run is resumed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "../io/config_document.h"
#include "megalith/train/run_config.h"

namespace megalith::detail {

/// The settings in a run's config.json; see run_config_from_json().
RunConfig read_run_config(const ConfigDocument& document);

/// The settings that decide the result of a run, and what describes its data.
nlohmann::json result_settings(const ModelConfig& model, const TrainConfig& train, const nlohmann::json& data);

/// A sentence part for each value that differs, naming it and both values; empty where none does. Both are objects with
/// fields.
std::string differences(const nlohmann::json& saved, const nlohmann::json& now);

}  // namespace megalith::detail

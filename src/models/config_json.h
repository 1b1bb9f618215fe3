// SPDX-License-Identifier: Apache-2.0
// A model's config as a JSON value, for what stands within other JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "megalith/models/config.h"

namespace megalith::detail {

/// All fields. read_config() gives the same config back.
nlohmann::ordered_json write_config(const ModelConfig& config);

/// See config_from_json().
ModelConfig read_config(const nlohmann::json& json, std::string_view where);

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Named models.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "megalith/models/config.h"

namespace megalith {

/// A model that has a name.
struct Preset {
  std::string name;
  std::string summary;  // one line
  ModelConfig config;
};

/// All of them, in the order in which they are best shown.
const std::vector<Preset>& presets();

/// Throws Error, naming the nearest known name, where there is no such preset.
const Preset& preset(std::string_view name);

/// The name of the preset with this structure (models/structure.h), or "a model of its own".
std::string model_name(const ModelConfig& config);

}  // namespace megalith

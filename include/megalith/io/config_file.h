// SPDX-License-Identifier: Apache-2.0
// Configs by name or from files.
#pragma once

#include <string>

#include "megalith/models/config.h"

namespace megalith {

/// The config of a preset (models/zoo.h), or of a file if the name ends in `.json`: a model's config, or the config.json of
/// a run, whose model it is. Throws Error where there is none or it is not valid.
ModelConfig load_config(const std::string& name_or_file);

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// A model's config as JSON: what `--model FILE.json` reads and every checkpoint carries.
#pragma once

#include <string>
#include <string_view>

#include "megalith/models/config.h"

namespace megalith {

/// All fields, indented. config_from_json() gives the same config back.
std::string to_json(const ModelConfig& config);

/// The config that `text` describes. `scales` must be there; any other field that is not keeps its default. `where` names
/// the text in messages. Throws Error on text that is not such JSON; an unknown name is refused with the nearest known one.
/// It does not validate() what it reads; where it refuses, the message says what validate() would say too.
ModelConfig config_from_json(std::string_view text, std::string_view where);

/// The first field in which two configs differ, with both values, such as `scales[0].stack.heads (8 and 4)`; empty where
/// they are equal.
std::string first_difference(const ModelConfig& a, const ModelConfig& b);

}  // namespace megalith

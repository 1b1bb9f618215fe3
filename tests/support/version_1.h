// SPDX-License-Identifier: Apache-2.0
// Configs as files of format version 1 had them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "megalith/models/config_json.h"

namespace megalith::tests {

/// The config of a model of transformers as version 1 wrote it: `unit` for `patch`, and a stack with the settings of its
/// blocks among its own. What version 1 did not know must have its default.
inline nlohmann::ordered_json version_1(nlohmann::ordered_json model) {
  for (auto& scale : model["scales"]) {
    nlohmann::ordered_json old{{"unit", scale["patch"]}};
    for (const auto& [name, value] : scale.items())
      if (name != "patch") old[name] = value;
    nlohmann::ordered_json& stack = old["stack"];
    const nlohmann::ordered_json block = stack["transformer"];
    stack.erase("transformer");
    for (const auto& [name, value] : block.items())
      if (name != "kv_heads") stack[name] = value;
    scale = std::move(old);
  }
  return model;
}
inline nlohmann::ordered_json version_1(const ModelConfig& config) {
  return version_1(nlohmann::ordered_json::parse(to_json(config)));
}

}  // namespace megalith::tests

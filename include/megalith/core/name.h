// SPDX-License-Identifier: Apache-2.0
// Names of parameters, built on the stack while a module is visited.
#pragma once

#include <string>
#include <string_view>

#include "megalith/core/shape.h"

namespace megalith {

/// One link of a dotted parameter name such as `blocks.0.attention.qkv.weight`. Points to its parent, so a visit makes no
/// string that nobody asks for.
struct Name {
  const Name* parent = nullptr;
  std::string_view key{};
  Index index = -1;  // of an array element, when key is empty

  std::string str() const {
    const std::string own = index >= 0 ? std::to_string(index) : std::string(key);
    const std::string above = parent ? parent->str() : std::string();
    if (above.empty() || own.empty()) return above + own;
    return above + "." + own;
  }
};

}  // namespace megalith

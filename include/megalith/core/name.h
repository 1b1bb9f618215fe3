// SPDX-License-Identifier: Apache-2.0
// Names and roles of parameters, built on the stack while a module is visited.
#pragma once

#include <string>
#include <string_view>

#include "megalith/core/shape.h"

namespace megalith {

/// What a parameter is for. Weight decay, optimisers that treat matrices apart and reports go by it, never by a name.
enum class Role {
  other,
  matrix,  // multiplies activations: (inputs, outputs)
  table,   // rows that are looked up: embeddings of bytes and positions, pads
  head,    // the output matrix, (C, V)
  bias,
  gain  // of a norm
};

/// One link of a dotted parameter name such as `blocks.0.attention.qkv.weight`. Points to its parent, so a visit makes no
/// string that nobody asks for. The last link of a parameter's name also tells its role.
struct Name {
  const Name* parent = nullptr;
  std::string_view key{};
  Role role = Role::other;
  Index index = -1;  // of an array element, when key is empty

  /// Element i of the array that is named `array`.
  static Name element(const Name& array, std::size_t i) { return {&array, {}, Role::other, static_cast<Index>(i)}; }

  std::string str() const {
    const std::string own = index >= 0 ? std::to_string(index) : std::string(key);
    const std::string above = parent ? parent->str() : std::string();
    if (above.empty() || own.empty()) return above + own;
    return above + "." + own;
  }
};

}  // namespace megalith

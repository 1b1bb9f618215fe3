// SPDX-License-Identifier: Apache-2.0
// The kinds of norm that a block can have.
#pragma once

#include "megalith/core/fields.h"

namespace megalith {

enum class NormKind { layer, rms };
template <>
inline constexpr std::array<std::string_view, 2> kNames<NormKind>{"layer", "rms"};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What can be wrong with the settings that kinds of attention share.
#pragma once

#include <cmath>

#include "megalith/core/problems.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

inline constexpr Index kMaxHeads = 65536, kMaxHidden = Index{1} << 20;

/// Of `heads` in the settings at the path `own` (with its dot) of a stack at `at`: they divide the width, into even parts
/// where positions are rotary.
inline void list_head_problems(const StackConfig& stack, const std::string& at, const std::string& own, Index heads,
                               Problems& problems) {
  const std::string heads_name = own + "heads", width_name = at + ".width";
  if (problems.range(heads_name, heads, 1, kMaxHeads) && stack.width >= 1 &&
      problems.unless(stack.width % heads == 0, {heads_name, width_name}, " = ", heads, " does not divide ", width_name,
                      " = ", stack.width))
    problems.unless(stack.positions != PositionKind::rotary || stack.width / heads % 2 == 0, {heads_name, width_name}, " = ",
                    heads, " splits ", width_name, " = ", stack.width, " into heads of ", stack.width / heads,
                    " channels, and rotary positions need an even number");
}

inline void list_rotary_problems(const std::string& own, double rotary_base, Problems& problems) {
  problems.unless(std::isfinite(rotary_base) && rotary_base > 0, own + "rotary_base", " must be above 0, not ", rotary_base);
}

}  // namespace megalith

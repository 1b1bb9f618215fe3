// SPDX-License-Identifier: Apache-2.0
// Numbers of things in sentences.
#pragma once

#include <cstdint>
#include <string>

#include "options.h"

namespace megalith::tool {

/// The word for n of a thing: "step" for 1, else "steps".
inline std::string plural(double n, const std::string& thing) { return n == 1 ? thing : thing + "s"; }

/// "1 step", "1,200 steps".
inline std::string counted(std::int64_t n, const std::string& thing) {
  return grouped(n) + " " + plural(static_cast<double>(n), thing);
}

}  // namespace megalith::tool

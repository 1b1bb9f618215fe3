// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace megalith::tool {

/// A path as one word of a command, on one line.
std::string quoted(const std::string& path);

}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
// Tables of text.
#pragma once

#include <string>
#include <vector>

namespace megalith::tool {

/// Rows in columns two spaces apart, the first flush left, the others flush right. Each row ends in a line break.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace megalith::tool

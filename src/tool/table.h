// SPDX-License-Identifier: Apache-2.0
// Tables of text.
#pragma once

#include <string>
#include <vector>

namespace megalith::tool {

/// Rows in columns two spaces apart, the first flush left, the others flush right. Each row ends in a line break.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// x with so many decimals, and commas between thousands.
std::string fixed(double x, int decimals);

}  // namespace megalith::tool

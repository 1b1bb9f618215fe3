// SPDX-License-Identifier: Apache-2.0
// What computes, in one line.
#pragma once

#include <string>

namespace megalith::tool {

/// "2 threads, AVX-512 products", and what the rest was compiled for where that is something else.
std::string start_line(int threads);

/// Says it on standard error, after the version. Call it once nothing of the input is left to refuse.
void say_what_computes(int threads);

}  // namespace megalith::tool

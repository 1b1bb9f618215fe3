// SPDX-License-Identifier: Apache-2.0
// The library's version, as it is written into files.
#pragma once

namespace megalith {

inline constexpr const char* kLibraryVersion = "0.1.0";  // the same as in CMakeLists.txt

}  // namespace megalith

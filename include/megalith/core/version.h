// SPDX-License-Identifier: Apache-2.0
// The library's version (semver.org), which is also written into files. The build and the installed package read it here.
#pragma once

namespace megalith {

inline constexpr const char* kLibraryVersion = "0.1.0";

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What the harnesses call an ordinary outcome. Everything else that is thrown ends the process, which is a finding.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "megalith/core/check.h"

namespace megalith::fuzz {

/// Calls f. False where it refused its input with an Error.
template <class F>
bool accepts(F&& f) {
  try {
    f();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Ends the process unless `holds`: for what must hold of everything that was accepted.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace megalith::fuzz

// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/machine_memory.h"

#include <unistd.h>

#include <cmath>

namespace megalith {

double machine_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<double>(pages) * static_cast<double>(size) : HUGE_VAL;
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "machine_limits.h"

namespace megalith::bench {

double bf16_multiply_adds(int) { return 0; }

}  // namespace megalith::bench

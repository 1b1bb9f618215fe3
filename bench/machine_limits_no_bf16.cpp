// SPDX-License-Identifier: Apache-2.0
#include "machine_limits.h"

namespace megalith::bench {

bool has_bf16_pairs() { return false; }
double bf16_pair_multiply_adds(int) { return 0; }

}  // namespace megalith::bench

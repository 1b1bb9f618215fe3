// SPDX-License-Identifier: Apache-2.0
// Elsewhere than on x86 products are Eigen's.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* fp32_kernel() { return nullptr; }
const GemmKernel* blocked_fp32_kernel() { return nullptr; }
const GemmKernel* bf16_kernel() { return nullptr; }

}  // namespace megalith::detail

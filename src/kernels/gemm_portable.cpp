// SPDX-License-Identifier: Apache-2.0
// On processors other than x86 Eigen multiplies.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* fp32_kernel() { return nullptr; }
const GemmKernel* blocked_fp32_kernel() { return nullptr; }
const GemmKernel* bf16_kernel() { return nullptr; }

}  // namespace megalith::detail

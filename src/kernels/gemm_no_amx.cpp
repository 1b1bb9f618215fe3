// SPDX-License-Identifier: Apache-2.0
// Where the compiler has no AMX, the system is not Linux, of which leave to use its tiles is asked, or nobody wants it.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_amx() { return nullptr; }
const GemmKernel* gemm_kernel_amx_bf16() { return nullptr; }

}  // namespace megalith::detail

// SPDX-License-Identifier: Apache-2.0
// Leave to use the tiles of AMX is asked of Linux only.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_amx_bf16() { return nullptr; }

}  // namespace megalith::detail

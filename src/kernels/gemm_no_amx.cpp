// SPDX-License-Identifier: Apache-2.0
// In place of gemm_amx.cpp where the compiler does not know AMX, the system is not Linux (which must grant the use of its
// registers), or the build has -DMEGALITH_AMX=OFF.
#include "gemm_kernel.h"

namespace megalith::detail {

const GemmKernel* gemm_kernel_amx() { return nullptr; }
const GemmKernel* gemm_kernel_amx_bf16() { return nullptr; }

}  // namespace megalith::detail

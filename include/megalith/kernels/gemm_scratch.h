// SPDX-License-Identifier: Apache-2.0
// The temporaries of products, counted as the kernels take them.
#pragma once

#include "megalith/core/shape.h"

namespace megalith {

/// How the left operand of a product stands in memory.
enum class LeftOperand { plain, transposed };

/// About how many numbers of scratch gemm() takes in fp32 for an output (rows, cols) and sums of `depth` products, on all
/// threads together: packed operands.
double gemm_scratch(Index rows, Index cols, Index depth, LeftOperand left, int threads);

}  // namespace megalith

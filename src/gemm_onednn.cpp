// SPDX-License-Identifier: Apache-2.0
// Float products by oneDNN, which picks the instruction set of the machine at run time. It runs on one thread, inside our
// own tiles: its own threading changes bits with the number of threads.
//
// Its generated code lets the stack pointer point into the heap, up to version 3.11.1
// (https://github.com/uxlfoundation/oneDNN/issues/4845): the frame of a signal handler then overwrites what is not its own.
// A program that handles signals blocks them in the threads that run a model, or gives its handlers a stack of their own
// (sigaltstack, SA_ONSTACK).
#include <dnnl.h>

#include "megalith/kernels/gemm.h"

namespace megalith {

const char* product_library() { return "oneDNN"; }

namespace detail {

TileSize float_tile() { return {256, 512}; }

void float_tile_product(const Factor<float>& a, const Factor<float>& b, const Mat<float>& c, Into into) {
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', c.rows, c.cols, a.cols, 1.0f, a.data, a.stride, b.data,
                 b.stride, into == Into::add ? 1.0f : 0.0f, c.data, c.stride);
  // It fails before it computes, where there is no memory to pack the factors; Eigen needs none.
  if (status != dnnl_success) eigen_tile_product(a, b, c, into);
}

}  // namespace detail
}  // namespace megalith

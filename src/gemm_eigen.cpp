// SPDX-License-Identifier: Apache-2.0
// Float products by Eigen: always available.
#include "megalith/kernels/gemm.h"

namespace megalith {

const char* product_library() { return "Eigen"; }

namespace detail {

TileSize float_tile() { return kEigenTile; }

void float_tile_product(const Factor<float>& a, const Factor<float>& b, const Mat<float>& c, Into into) {
  eigen_tile_product(a, b, c, into);
}

}  // namespace detail
}  // namespace megalith

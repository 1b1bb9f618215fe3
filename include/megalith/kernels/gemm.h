// SPDX-License-Identifier: Apache-2.0
// The only place where matrices are multiplied. One implementation over Eigen for any scalar; for float, CMake picks
// src/gemm_eigen.cpp or src/gemm_onednn.cpp.
//
// A product is cut into tiles that follow from its sizes alone, each tile is computed by one thread and each sum over K
// runs inside one tile: the bits do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <cassert>

#include "megalith/core/scalar.h"
#include "megalith/core/seq.h"
#include "megalith/core/tensor.h"
#include "megalith/runtime/context.h"

namespace megalith {

/// A row-major matrix (rows, cols) with a distance of `stride` numbers between rows. Owns nothing.
template <class S>
struct Mat {
  S* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;

  Mat() = default;
  Mat(S* d, Index r, Index c, Index s) : data(d), rows(r), cols(c), stride(s) {}
  Mat(const Seq<S>& x) : Mat(x.data, x.row_count(), x.C, x.C) {}
  Mat(Tensor<S>& t) : Mat(t.data(), t.rows(), t.cols(), t.cols()) {}

  Mat block(Index r, Index c, Index nr, Index nc) const { return {data + r * stride + c, nr, nc, stride}; }
};

/// A factor of a product: a read-only Mat, possibly transposed. rows and cols are those of the factor as it is used.
template <class S>
struct Factor {
  const S* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;
  bool transposed = false;

  Factor(const S* d, Index r, Index c, Index s, bool t = false) : data(d), rows(r), cols(c), stride(s), transposed(t) {}
  Factor(const Mat<S>& m) : Factor(m.data, m.rows, m.cols, m.stride) {}
  Factor(const Seq<S>& x) : Factor(x.data, x.row_count(), x.C, x.C) {}
  Factor(const Seq<const S>& x) : Factor(x.data, x.row_count(), x.C, x.C) {}
  Factor(const Tensor<S>& t) : Factor(t.data(), t.rows(), t.cols(), t.cols()) {}

  Factor block(Index r, Index c, Index nr, Index nc) const {
    return {data + (transposed ? c * stride + r : r * stride + c), nr, nc, stride, transposed};
  }
  Factor transpose() const { return {data, cols, rows, stride, !transposed}; }
};

/// What a product does with the numbers that stand in its output.
enum class Into { overwrite, add };

/// The transpose of a factor, as in `product(ctx, transposed<S>(x), dy, dw)`.
template <class S, class M>
Factor<S> transposed(const M& m) {
  return Factor<S>(m).transpose();
}

namespace detail {

/// Largest tile of one product.
struct TileSize {
  Index rows, cols;
};

/// Eigen allocates scratch for larger products than these (K counts too); up to here it stays on the stack.
inline constexpr TileSize kEigenTile{128, 128};
inline constexpr Index kEigenTileDepth = 256;

template <class S>
void eigen_tile_product(Factor<S> a, Factor<S> b, Mat<S> c, Into into) {
  using Strided = Eigen::Map<const Matrix<S>, 0, Eigen::OuterStride<>>;
  using StridedT =
      Eigen::Map<const Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>, 0, Eigen::OuterStride<>>;
  Eigen::Map<Matrix<S>, 0, Eigen::OuterStride<>> out(c.data, c.rows, c.cols, Eigen::OuterStride<>(c.stride));
  if (into == Into::overwrite) out.setConstant(S(0));
  for (Index k = 0; k < a.cols; k += kEigenTileDepth) {
    const Index depth = std::min(kEigenTileDepth, a.cols - k);
    const Factor<S> ak = a.block(0, k, a.rows, depth), bk = b.block(k, 0, depth, b.cols);
    const auto add = [&](const auto& left, const auto& right) { out.noalias() += left * right; };
    const auto with_left = [&](const auto& left) {
      if (bk.transposed) add(left, StridedT(bk.data, bk.rows, bk.cols, Eigen::OuterStride<>(bk.stride)));
      else add(left, Strided(bk.data, bk.rows, bk.cols, Eigen::OuterStride<>(bk.stride)));
    };
    if (ak.transposed) with_left(StridedT(ak.data, ak.rows, ak.cols, Eigen::OuterStride<>(ak.stride)));
    else with_left(Strided(ak.data, ak.rows, ak.cols, Eigen::OuterStride<>(ak.stride)));
  }
}

/// The float implementation that CMake picked: its largest tile, its product on the calling thread, and its name.
TileSize float_tile();
void float_tile_product(const Factor<float>& a, const Factor<float>& b, const Mat<float>& c, Into into);

/// Counting scalars specialise this to count multiplications made inside of products only.
template <class S>
struct ProductScope {};

/// The tile for an (M, N) output: at most `largest`, halved until there is enough work to share.
inline TileSize tile_for(Index M, Index N, TileSize largest) {
  constexpr Index kEnough = 4, kSmallest = 32;
  TileSize t{std::min(M, largest.rows), std::min(N, largest.cols)};
  const auto count = [&] { return ((M + t.rows - 1) / t.rows) * ((N + t.cols - 1) / t.cols); };
  while (count() < kEnough && std::max(t.rows, t.cols) > kSmallest) {
    Index& larger = t.rows > t.cols ? t.rows : t.cols;
    larger = (larger + 1) / 2;
  }
  return t;
}

}  // namespace detail

/// "oneDNN" or "Eigen": what multiplies float matrices in this build.
const char* product_library();

/// c = a b, or c += a b, on the calling thread. For tiles inside a kernel; layers use product().
template <class S>
void tile_product(Factor<S> a, Factor<S> b, Mat<S> c, Into into) {
  assert(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows);
  [[maybe_unused]] const detail::ProductScope<S> scope;
  if constexpr (std::is_same_v<S, float>) detail::float_tile_product(a, b, c, into);
  else detail::eigen_tile_product(a, b, c, into);
}

/// c = a b, or c += a b, on all threads of the context. a is (M, K), b (K, N), c (M, N); none overlaps c.
template <class S>
void product(const Context& ctx, Factor<S> a, Factor<S> b, Mat<S> c, Into into = Into::overwrite) {
  assert(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows);
  detail::TileSize largest = detail::kEigenTile;
  if constexpr (std::is_same_v<S, float>) largest = detail::float_tile();
  const detail::TileSize tile = detail::tile_for(c.rows, c.cols, largest);
  const Index across = (c.cols + tile.cols - 1) / tile.cols;
  const Index down = (c.rows + tile.rows - 1) / tile.rows;
  ctx.parallel_for(down * across, [&](Index i, Lane&) {
    const Index r = i / across * tile.rows, n = i % across * tile.cols;
    const Index height = std::min(tile.rows, c.rows - r), width = std::min(tile.cols, c.cols - n);
    tile_product<S>(a.block(r, 0, height, a.cols), b.block(0, n, b.rows, width), c.block(r, n, height, width), into);
  });
}

}  // namespace megalith

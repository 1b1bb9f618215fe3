// SPDX-License-Identifier: Apache-2.0
// The only place where matrices are multiplied: over Eigen for any scalar, and by our own kernels for float (src/kernels/).
//
// A product is cut into tiles, each computed by one thread, and each sum runs inside one tile, in an order that follows from
// the sizes alone: the bits do not depend on the number of threads. The depth of a product is the length of its sums: a has
// `depth` columns, b `depth` rows.
#pragma once

#include <algorithm>
#include <cassert>

#include "megalith/core/scalar.h"
#include "megalith/core/seq.h"
#include "megalith/core/tensor.h"
#include "megalith/kernels/column_sum.h"
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

/// An operand of a product: a read-only Mat, possibly transposed. rows and cols are those after the transposition.
template <class S>
struct Operand {
  const S* data = nullptr;
  Index rows = 0, cols = 0, stride = 0;
  bool transposed = false;

  Operand(const S* d, Index r, Index c, Index s, bool t = false) : data(d), rows(r), cols(c), stride(s), transposed(t) {}
  Operand(const Mat<S>& m) : Operand(m.data, m.rows, m.cols, m.stride) {}
  Operand(const Seq<S>& x) : Operand(x.data, x.row_count(), x.C, x.C) {}
  Operand(const Seq<const S>& x) : Operand(x.data, x.row_count(), x.C, x.C) {}
  Operand(const Tensor<S>& t) : Operand(t.data(), t.rows(), t.cols(), t.cols()) {}

  Operand block(Index r, Index c, Index nr, Index nc) const {
    return {data + (transposed ? c * stride + r : r * stride + c), nr, nc, stride, transposed};
  }
  Operand transpose() const { return {data, cols, rows, stride, !transposed}; }
};

/// What a product does with the old numbers of its output.
enum class Into { overwrite, add };

/// The transpose of an operand, as in `gemm<S>(ctx, transposed<S>(x), dy, dw)`.
template <class S, class M>
Operand<S> transposed(const M& m) {
  return Operand<S>(m).transpose();
}

namespace detail {

/// Largest tile of one product.
struct TileSize {
  Index rows, cols;
};

/// The largest products for which Eigen keeps its scratch on the stack.
inline constexpr TileSize kEigenTile{128, 128};
inline constexpr Index kEigenTileDepth = 256;

template <class S>
void eigen_tile_gemm(Operand<S> a, Operand<S> b, Mat<S> c, Into into) {
  using Strided = Eigen::Map<const Matrix<S>, 0, Eigen::OuterStride<>>;
  using StridedT =
      Eigen::Map<const Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>, 0, Eigen::OuterStride<>>;
  Eigen::Map<Matrix<S>, 0, Eigen::OuterStride<>> out(c.data, c.rows, c.cols, Eigen::OuterStride<>(c.stride));
  if (into == Into::overwrite) out.setConstant(S(0));
  for (Index k = 0; k < a.cols; k += kEigenTileDepth) {
    const Index depth = std::min(kEigenTileDepth, a.cols - k);
    const Operand<S> ak = a.block(0, k, a.rows, depth), bk = b.block(k, 0, depth, b.cols);
    const auto add = [&](const auto& left, const auto& right) { out.noalias() += left * right; };
    const auto with_left = [&](const auto& left) {
      if (bk.transposed) add(left, StridedT(bk.data, bk.rows, bk.cols, Eigen::OuterStride<>(bk.stride)));
      else add(left, Strided(bk.data, bk.rows, bk.cols, Eigen::OuterStride<>(bk.stride)));
    };
    if (ak.transposed) with_left(StridedT(ak.data, ak.rows, ak.cols, Eigen::OuterStride<>(ak.stride)));
    else with_left(Strided(ak.data, ak.rows, ak.cols, Eigen::OuterStride<>(ak.stride)));
  }
}

/// Float products: by the kernels of src/kernels/ where the machine has one of their instruction sets, else by Eigen. A bias
/// and b_sums may be null.
void float_gemm(const Context& ctx, const Operand<float>& a, const Operand<float>& b, const Mat<float>& c, Into into,
                const float* bias, float* b_sums);

/// Counting scalars specialise this, to count only multiplications made inside of products.
template <class S>
struct GemmScope {};

/// The tile for an output (rows, cols): at most `max`, halved while there are fewer than kMinTiles to share among threads.
inline TileSize tile_for(Index rows, Index cols, TileSize max) {
  constexpr Index kMinTiles = 4, kMinSide = 32;
  TileSize t{std::min(rows, max.rows), std::min(cols, max.cols)};
  const auto count = [&] { return ((rows + t.rows - 1) / t.rows) * ((cols + t.cols - 1) / t.cols); };
  while (count() < kMinTiles && std::max(t.rows, t.cols) > kMinSide) {
    Index& larger = t.rows > t.cols ? t.rows : t.cols;
    larger = (larger + 1) / 2;
  }
  return t;
}

/// c = a b + bias by Eigen, on all threads of the context.
template <class S>
void eigen_gemm(const Context& ctx, const Operand<S>& a, const Operand<S>& b, const Mat<S>& c, Into into, const S* bias) {
  const TileSize tile = tile_for(c.rows, c.cols, kEigenTile);
  const Index across = (c.cols + tile.cols - 1) / tile.cols;
  const Index down = (c.rows + tile.rows - 1) / tile.rows;
  ctx.parallel_for(down * across, [&](Index i, Arena&) {
    [[maybe_unused]] const GemmScope<S> scope;
    const Index r = i / across * tile.rows, n = i % across * tile.cols;
    const Index height = std::min(tile.rows, c.rows - r), width = std::min(tile.cols, c.cols - n);
    const Mat<S> c_tile = c.block(r, n, height, width);
    if (bias != nullptr)
      for (Index row = 0; row < height; ++row) row_map(c_tile.data + row * c.stride, width) = row_map(bias + n, width);
    eigen_tile_gemm(a.block(r, 0, height, a.cols), b.block(0, n, b.rows, width), c_tile, bias != nullptr ? Into::add : into);
  });
}

}  // namespace detail

/// What multiplies large float matrices on this machine: the instruction set of a kernel of ours, such as "AMX" or
/// "AVX-512", or "Eigen".
///
/// Where the processor has AMX, the first product or call of this asks Linux for permission to use its registers. From then
/// on alternate signal stacks of the process must have room for them (sigaltstack, 11 KB); while a smaller one is in use,
/// Linux refuses, and AVX-512 multiplies. A library built with -DMEGALITH_AMX=OFF never asks. In fp32 a product by AMX is as
/// exact as one by FMA, but an infinity in an operand may come out as NaN, and numbers below 2^-102 lose digits.
const char* gemm_backend();

/// Whether Precision::bf16 can be used: the machine has the instructions.
bool has_bf16_gemm();

/// c = a b, or c += a b, on all threads of the context. a is (rows, depth), b (depth, cols), c (rows, cols); neither a nor b
/// overlaps c. A bias (cols) is added to each row of an overwritten c.
template <class S>
void gemm(const Context& ctx, Operand<S> a, Operand<S> b, Mat<S> c, Into into = Into::overwrite, const S* bias = nullptr) {
  assert(a.rows == c.rows && b.cols == c.cols && a.cols == b.rows);
  assert(bias == nullptr || into == Into::overwrite);
  if constexpr (std::is_same_v<S, float>) detail::float_gemm(ctx, a, b, c, into, bias, nullptr);
  else detail::eigen_gemm(ctx, a, b, c, into, bias);
}

/// c += a b, and b_sums (cols) += the sums of the columns of b, (depth, cols): the gradients of a weight and of its bias in
/// one pass over b.
template <class S>
void gemm_and_sums(const Context& ctx, Operand<S> a, Seq<const S> b, Mat<S> c, RowMap<S> b_sums) {
  assert(a.rows == c.rows && b.C == c.cols && a.cols == b.row_count());
  if constexpr (std::is_same_v<S, float>) {
    detail::float_gemm(ctx, a, b, c, Into::add, nullptr, b_sums.data());
  } else {
    detail::eigen_gemm<S>(ctx, a, b, c, Into::add, nullptr);
    add_column_sums<S>(ctx, b, b_sums);
  }
}

}  // namespace megalith

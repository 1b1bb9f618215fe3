// SPDX-License-Identifier: Apache-2.0
#include "megalith/kernels/tile_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

/// A matrix (rows, cols) in a wider one, with NaN in the columns beside it.
template <class S>
Tensor<S> wider(Index rows, Index cols, std::uint64_t seed) {
  Tensor<S> t({rows, cols + 3});
  testing::fill_noise(t, {seed});
  for (Index i = 0; i < rows; ++i)
    for (Index j = cols; j < cols + 3; ++j) t.row(i)[j] = std::numeric_limits<S>::quiet_NaN();
  return t;
}

/// The product c (M, N) of rows [row, row + M) of a left operand, and of rows [first, first + K) and the first columns of a
/// right one, against their sums.
template <class S>
void compare(const Context& ctx, Index unit, Index M, Index N, Index K, bool a_transposed, bool b_transposed, Into into) {
  const Index row = 32, first = unit == 1 ? 7 : unit, R = row + M + 5, D = first + K + 9, wide = N + 70;
  const Tensor<S> a = a_transposed ? wider<S>(K, R, 1) : wider<S>(R, K, 1);
  const Tensor<S> b = b_transposed ? wider<S>(wide, D, 2) : wider<S>(D, wide, 2);
  const Operand<S> left(a.data(), R, K, a.cols(), a_transposed), right(b.data(), D, wide, b.cols(), b_transposed);
  const TileKernel<S> kernel(ctx, unit);
  Frame frame(ctx.scratch());
  const PackedLeft<S> packed_left = kernel.left(left, frame);
  const PackedRight<S> packed_right = kernel.right(right, frame);
  Tensor<S> before = wider<S>(M, N, 3), c = before;
  kernel.gemm(packed_left.rows(row, M), packed_right.rows(first, K).first_cols(N), {c.data(), M, N, c.cols()}, into,
              b.span());
  const auto at = [](const Operand<S>& f, Index i, Index j) {
    return static_cast<double>(f.transposed ? f.data[j * f.stride + i] : f.data[i * f.stride + j]);
  };
  double worst = 0;
  for (Index i = 0; i < M; ++i) {
    for (Index j = 0; j < N; ++j) {
      double sum = into == Into::add ? static_cast<double>(before.mat()(i, j)) : 0;
      for (Index k = 0; k < K; ++k) sum += at(left, row + i, k) * at(right, first + k, j);
      const double difference = std::abs(static_cast<double>(c.mat()(i, j)) - sum);
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    }
    for (Index j = N; j < N + 3; ++j) ASSERT_TRUE(std::isnan(c.mat()(i, j)));
  }
  EXPECT_LT(worst, 4 * static_cast<double>(std::numeric_limits<S>::epsilon()) * (1 + std::sqrt(static_cast<double>(K))))
      << ::testing::PrintToString(std::vector<Index>{unit, M, N, K, a_transposed, b_transposed, into == Into::add});
}

TEST(TileGemm, MatchesSums) {
  Workspace workspace(1);
  for (const Context& ctx : {Context(workspace), Context(workspace).as_batch_invariant()})
    for (const Index unit : {1, 32, 128})
      for (const auto& [M, N, K] :
           {std::tuple<Index, Index, Index>{1, 1, 1}, {32, 32, 32}, {33, 17, 65}, {5, 64, 31}, {64, 70, 128}, {100, 16, 40}})
        for (const bool at : {false, true})
          for (const bool bt : {false, true})
            for (const Into into : {Into::overwrite, Into::add}) {
              compare<float>(ctx, unit, M, N, K, at, bt, into);
              compare<double>(ctx, unit, M, N, K, at, bt, into);
            }
}

}  // namespace
}  // namespace megalith

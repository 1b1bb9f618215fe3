// SPDX-License-Identifier: Apache-2.0
// Products against the sum that defines them, whichever library multiplies.
#include "megalith/kernels/gemm.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <tuple>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

/// An operand (rows, cols), stored as it is or transposed, in a wider matrix.
template <class S>
struct Stored {
  Tensor<S> memory;
  Operand<S> operand;

  Stored(Index rows, Index cols, bool transposed, std::uint64_t seed)
      : memory(transposed ? Tensor<S>({cols, rows + 5}) : Tensor<S>({rows, cols + 5})),
        operand(memory.data() + 2, rows, cols, memory.cols(), transposed) {
    testing::fill_noise(memory, {seed});
  }
  double at(Index i, Index j) const {
    return static_cast<double>(operand.transposed ? operand.data[j * operand.stride + i]
                                                  : operand.data[i * operand.stride + j]);
  }
};

template <class S>
void compare_with_sums(const Context& ctx, Index M, Index N, Index K, bool at, bool bt, Into into) {
  const Stored<S> a(M, K, at, 1), b(K, N, bt, 2);
  Tensor<S> before({M, N + 3});
  testing::fill_noise(before, {3});
  Tensor<S> c = before;
  gemm<S>(ctx, a.operand, b.operand, Mat<S>(c.data(), M, N, N + 3), into);
  double worst = 0;
  for (Index i = 0; i < M; ++i) {
    for (Index j = 0; j < N + 3; ++j) {
      const double old = static_cast<double>(before.mat()(i, j)), got = static_cast<double>(c.mat()(i, j));
      if (j >= N) {
        ASSERT_EQ(got, old) << "a number beside the output was touched";
        continue;
      }
      double sum = into == Into::add ? old : 0;
      for (Index k = 0; k < K; ++k) sum += a.at(i, k) * b.at(k, j);
      const double difference = std::abs(got - sum);
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    }
  }
  const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
  EXPECT_LT(worst, 4 * eps * (1 + std::sqrt(static_cast<double>(K))))
      << M << " x " << N << " x " << K << (at ? " a^T" : "") << (bt ? " b^T" : "");
}

TEST(Gemm, MatchesSums) {
  Workspace workspace(2);
  const Context ctx(workspace);
  using Sizes = std::tuple<Index, Index, Index>;
  for (const auto& [M, N, K] :
       {Sizes{1, 1, 1}, Sizes{1, 5, 3}, Sizes{7, 1, 9}, Sizes{33, 31, 17}, Sizes{127, 129, 128}, Sizes{128, 128, 256},
        Sizes{131, 257, 259}, Sizes{259, 515, 31}, Sizes{1, 515, 300}, Sizes{300, 1, 515}, Sizes{5, 4, 1031}}) {
    for (const bool at : {false, true}) {
      for (const bool bt : {false, true}) {
        for (const Into into : {Into::overwrite, Into::add}) {
          compare_with_sums<float>(ctx, M, N, K, at, bt, into);
          compare_with_sums<double>(ctx, M, N, K, at, bt, into);
        }
      }
    }
  }
}

TEST(Gemm, OverwritesNaN) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Tensor<float> a({40, 300}), b({300, 50}), c({40, 50});
  c.fill(std::numeric_limits<float>::quiet_NaN());
  gemm<float>(ctx, a, b, c);
  for (const float v : c.span()) EXPECT_EQ(v, 0);
}

TEST(Gemm, PassesNaNOn) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Tensor<float> a({3, 4}), b({4, 5}), c({3, 5});
  a.mat()(1, 2) = std::numeric_limits<float>::quiet_NaN();
  gemm<float>(ctx, a, b, c);
  EXPECT_TRUE(std::isnan(c.mat()(1, 0)));
  EXPECT_EQ(c.mat()(0, 0), 0);
}

template <class S>
void same_bits_on_any_threads(Index M, Index N, Index K) {
  const Stored<S> a(M, K, true, 4), b(K, N, false, 5);
  Tensor<S> one;
  for (const int threads : {1, 2, 3, 7, 16, 33}) {
    Workspace workspace(threads);
    Tensor<S> c({M, N});
    gemm<S>(Context(workspace), a.operand, b.operand, c);
    if (threads == 1) one = c;
    EXPECT_EQ(testing::bit_error(c, one), 0) << threads << " threads";
  }
}

TEST(Gemm, SameBitsOnAnyNumberOfThreads) {
  same_bits_on_any_threads<float>(2100, 1500, 65);  // at least 20 tiles with either library
  same_bits_on_any_threads<double>(700, 700, 300);
  same_bits_on_any_threads<float>(40, 37, 1000);
}

TEST(Gemm, LeavesOpenMpSettings) {
  omp_set_num_threads(3);
  Workspace workspace(2);
  Tensor<float> a({200, 200}), c({200, 200});
  gemm<float>(Context(workspace), a, a, c);
  EXPECT_EQ(omp_get_max_threads(), 3);
  EXPECT_EQ(omp_get_dynamic(), 0);
}

TEST(Gemm, RowsDoNotDependOnTheirNumber) {
  // A row's bits are the same whatever rows stand beside it: generating several samples at once relies on it.
  Workspace workspace(1);
  const Context ctx(workspace);
  const Stored<float> a(9, 300, false, 6), b(300, 200, false, 7);
  Tensor<float> nine({9, 200}), four({4, 200});
  gemm<float>(ctx, a.operand, b.operand, nine);
  gemm<float>(ctx, a.operand.block(0, 0, 4, 300), b.operand, four);
  EXPECT_EQ(std::memcmp(nine.data(), four.data(), sizeof(float) * 4 * 200), 0);
}

template <class S>
void bias_and_sums() {
  Workspace workspace(2);
  const Context ctx(workspace);
  for (const auto& [M, N, K] : {std::tuple<Index, Index, Index>{5, 7, 3}, {200, 130, 600}}) {
    const Stored<S> a(M, K, true, 8), b(K, N, false, 9);
    Tensor<S> plain({M, N}), biased({M, N}), bias({N}), rows({K, N}), added({M, N}), sums({N});
    testing::fill_noise(bias, {10});
    testing::fill_noise(rows, {11});
    testing::fill_noise(sums, {12});
    const Tensor<S> before = sums;
    gemm<S>(ctx, a.operand, b.operand, plain);
    gemm<S>(ctx, a.operand, b.operand, biased, Into::overwrite, bias.data());
    for (Index i = 0; i < M; ++i) plain.mat().row(i) += bias.vec();
    EXPECT_LT((biased.mat() - plain.mat()).cwiseAbs().maxCoeff(), S(1e-5));
    gemm_and_sums<S>(ctx, a.operand, {rows.data(), 1, K, N}, added, sums.vec());
    gemm<S>(ctx, a.operand, rows, plain);
    EXPECT_EQ(testing::bit_error(added, plain), 0);
    const auto sum = rows.mat().template cast<double>().colwise().sum();
    const double worst = ((sums.vec() - before.vec()).template cast<double>() - sum).cwiseAbs().maxCoeff();
    EXPECT_LT(worst, 1e-6 * (1 + std::sqrt(static_cast<double>(K))));
  }
}
TEST(Gemm, AddsABiasAndSumsColumns) {
  bias_and_sums<float>();
  bias_and_sums<double>();
}

TEST(TileFor, SharesTheWork) {
  const auto count = [](Index M, Index N) {
    const detail::TileSize t = detail::tile_for(M, N, {128, 128});
    EXPECT_TRUE(t.rows >= 1 && t.rows <= 128 && t.cols >= 1 && t.cols <= 128);
    return ((M + t.rows - 1) / t.rows) * ((N + t.cols - 1) / t.cols);
  };
  EXPECT_EQ(count(1, 1), 1);
  EXPECT_EQ(count(20, 20), 1);
  EXPECT_GE(count(128, 128), 4);
  EXPECT_GE(count(512, 512), 16);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Each kernel of an instruction set that this machine has, against the sums that define the product.
#include "kernels/blocked_gemm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "megalith/testing/sample.h"

namespace megalith {
namespace {

/// Nearest bf16 number, ties to even.
float rounded_to_bf16(float x) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  bits += 0x7fffu + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xffff0000u);
}

struct Kernel {
  const char* name;
  const detail::GemmKernel* kernel;
};
const Kernel kKernels[] = {{"avx2", detail::gemm_kernel_avx2()},
                           {"avx512", detail::gemm_kernel_avx512()},
                           {"avx512_bf16", detail::gemm_kernel_avx512_bf16()},
                           {"amx", detail::gemm_kernel_amx()},
                           {"amx_bf16", detail::gemm_kernel_amx_bf16()}};

class BlockedGemm : public ::testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (GetParam().kernel == nullptr) GTEST_SKIP() << "not on this machine";
  }
  const detail::GemmKernel& kernel() const { return *GetParam().kernel; }
  float rounded(float x) const { return std::string_view(GetParam().name).ends_with("bf16") ? rounded_to_bf16(x) : x; }
};

/// An operand inside a wider matrix. Beside it stands NaN, which must not be read into a sum.
struct Stored {
  Tensor<float> memory;
  Operand<float> operand;
  Stored(Index rows, Index cols, bool transposed, std::uint64_t seed)
      : memory(transposed ? Tensor<float>({cols, rows + 5}) : Tensor<float>({rows, cols + 5})),
        operand(memory.data() + 2, rows, cols, memory.cols(), transposed) {
    testing::fill_noise(memory, {seed});
    for (Index i = 0; i < memory.rows(); ++i)
      for (const Index j : {Index{0}, Index{1}, memory.cols() - 3, memory.cols() - 2, memory.cols() - 1})
        memory.row(i)[j] = std::numeric_limits<float>::quiet_NaN();
  }
  float at(Index i, Index j) const {
    return operand.transposed ? operand.data[j * operand.stride + i] : operand.data[i * operand.stride + j];
  }
};

TEST_P(BlockedGemm, MatchesSums) {
  const Index edges[] = {1, 5, 6, 7, 13, 63, 64, 65, 96, 100, 129};
  const Index depths[] = {1, 2, 15, 16, 31, 33, 127, 129, 511, 512, 513, 1100};
  std::uint64_t draw = 0;
  const auto one_of = [&](const auto& list) { return list[random_bits(RandomKey{7}, ++draw) % std::size(list)]; };
  Workspace workspace(3);
  const Context ctx(workspace);
  for (int trial = 0; trial < 120; ++trial) {
    const Index M = one_of(edges), N = one_of(edges), K = one_of(depths);
    const bool at = trial % 2, bt = trial / 2 % 2, add = trial / 4 % 2, bias_wanted = !add && trial / 8 % 2;
    const bool sums_wanted = !bt && trial / 16 % 2;
    const Stored a(M, K, at, 1), b(K, N, bt, 2);
    Tensor<float> before({M, N + 3}), bias({N}), sums({N});
    testing::fill_noise(before, {3});
    testing::fill_noise(bias, {4});
    Tensor<float> c = before;
    const Mat<float> out(c.data(), M, N, N + 3);
    const Into into = add ? Into::add : Into::overwrite;
    detail::blocked_gemm(kernel(), ctx, a.operand, b.operand, out, into, bias_wanted ? bias.data() : nullptr,
                         sums_wanted ? sums.data() : nullptr);
    double worst = 0;
    for (Index i = 0; i < M; ++i)
      for (Index j = 0; j < N; ++j) {
        double sum = add ? double{before.mat()(i, j)} : bias_wanted ? double{bias.data()[j]} : 0;
        for (Index k = 0; k < K; ++k) sum += double{rounded(a.at(i, k))} * double{rounded(b.at(k, j))};
        const double difference = std::abs(double{c.mat()(i, j)} - sum);
        worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
      }
    const std::string what = ::testing::PrintToString(std::vector<Index>{M, N, K, at, bt, add});
    EXPECT_LT(worst, 5e-7 * (1 + std::sqrt(static_cast<double>(K)))) << what;
    for (Index i = 0; i < M; ++i)
      for (Index j = N; j < N + 3; ++j) ASSERT_EQ(c.mat()(i, j), before.mat()(i, j)) << what;
    if (!sums_wanted) continue;
    for (Index j = 0; j < N; ++j) {
      double sum = 0;
      for (Index k = 0; k < K; ++k) sum += double{b.at(k, j)};
      ASSERT_NEAR(sums.data()[j], sum, 1e-4) << what;
    }
  }
}

TEST_P(BlockedGemm, PassesInfinityOn) {
  // Two neighbours in bf16 make one element: neither may change the other. Three parts of an infinity do not add up to one,
  // but are not finite either.
  Workspace workspace(1);
  Tensor<float> a({1, 4}), b({4, 1}), c({1, 1});
  for (const float special : {INFINITY, -INFINITY}) {
    a.fill(1);
    b.fill(1);
    a.data()[1] = special;
    a.data()[0] = 1.0078125f;  // its bf16 has a bit set
    detail::blocked_gemm(kernel(), Context(workspace), a, b, c, Into::overwrite, nullptr, nullptr);
    if (kernel().k_step_elements > kernel().k_step) EXPECT_FALSE(std::isfinite(c.data()[0]));
    else EXPECT_EQ(c.data()[0], special);
  }
}

TEST_P(BlockedGemm, RowsAndThreadsDoNotMatter) {
  // Where b is not transposed, many rows, up to 48 (kMaxThinRows), up to the 6 of a register tile, and one row are four ways
  // to multiply. The last columns and the last elements of the depth do not fill a register. With 59 columns b has 64
  // numbers from row to row, as many as a panel of AVX-512. With 250 columns threads share rows, with 1,100 columns, and on
  // 8 threads the last block of some parts is empty.
  constexpr Index kRows = 300, kDepth = 701;
  const Stored a(kRows, kDepth, false, 6);
  for (const Index cols : {59, 250, 1100}) {
    for (const bool transposed : {false, true}) {
      const Stored b(kDepth, cols, transposed, 7);
      Tensor<float> whole({kRows, cols});
      for (const int threads : {1, 2, 3, 7, 8, 16, 33}) {
        Workspace workspace(threads);
        const auto multiply = [&](Index first, Index rows) {
          Tensor<float> c({rows, cols});
          detail::blocked_gemm(kernel(), Context(workspace), a.operand.block(first, 0, rows, kDepth), b.operand, c,
                               Into::overwrite, nullptr, nullptr);
          return c;
        };
        if (threads == 1) whole = multiply(0, kRows);
        for (const auto& [first, rows] :
             {std::pair<Index, Index>{0, kRows}, {200, 49}, {200, 48}, {100, 47}, {100, 9}, {100, 6}, {100, 1}})
          EXPECT_EQ(std::memcmp(multiply(first, rows).data(), whole.row(first),
                                sizeof(float) * static_cast<std::size_t>(rows * cols)),
                    0)
              << threads << " threads, " << rows << " rows, " << cols << " columns";
      }
    }
  }
}

/// What makes a product hard for sums of few digits.
struct Hardship {
  Index depth = 600;
  int range = 0;          // operands are scaled by 2^-range to 2^range
  bool positive = false;  // all products are, so sums grow
  float base = 0;         // what is added to
};

/// Root mean square of the error of a product, relative to |base| + sum |a b|.
double error_of(const detail::GemmKernel& kernel, const Hardship& hard) {
  constexpr Index kRows = 40, kCols = 50;
  Workspace workspace(2);
  Stored a(kRows, hard.depth, false, 8), b(hard.depth, kCols, true, 9);
  const auto harden = [&](Tensor<float>& t, std::uint64_t seed) {
    const auto choices = static_cast<std::uint64_t>(2 * hard.range + 1);
    for (Index i = 0; i < t.size(); ++i) {
      const int power = static_cast<int>(random_bits({seed}, static_cast<std::uint64_t>(i)) % choices) - hard.range;
      t.data()[i] = std::ldexp(hard.positive ? std::abs(t.data()[i]) : t.data()[i], power);
    }
  };
  harden(a.memory, 10);
  harden(b.memory, 11);
  Tensor<float> c({kRows, kCols});
  c.fill(hard.base);
  detail::blocked_gemm(kernel, Context(workspace), a.operand, b.operand, c, Into::add, nullptr, nullptr);
  double squares = 0;
  for (Index i = 0; i < kRows; ++i)
    for (Index j = 0; j < kCols; ++j) {
      double sum = double{hard.base}, size = std::abs(sum);
      for (Index k = 0; k < hard.depth; ++k) {
        const double product = double{a.at(i, k)} * double{b.at(k, j)};
        sum += product;
        size += std::abs(product);
      }
      squares += std::pow((double{c.mat()(i, j)} - sum) / size, 2);
    }
  return std::sqrt(squares / (kRows * kCols));
}

TEST(SplitGemm, LosesNoMoreThanFp32) {
  if (detail::gemm_kernel_amx() == nullptr) GTEST_SKIP() << "this machine does not have AMX";
  for (const Hardship& hard : {Hardship{}, {.range = 4}, {.range = 30}, {.depth = 8000, .positive = true}, {.base = 2000}})
    EXPECT_LT(error_of(*detail::gemm_kernel_amx(), hard), 1.1 * error_of(*detail::gemm_kernel_avx512(), hard))
        << hard.depth << ' ' << hard.range << ' ' << hard.positive << ' ' << hard.base;
}

INSTANTIATE_TEST_SUITE_P(Kernels, BlockedGemm, ::testing::ValuesIn(kKernels),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace megalith

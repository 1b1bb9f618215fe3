// SPDX-License-Identifier: Apache-2.0
#include "megalith/nn/softmax_head.h"

#include <gtest/gtest.h>

#include "support/forward.h"

namespace megalith::tests {
namespace {

constexpr Index kWidth = 5;

struct SoftmaxHeadTest : ::testing::Test {
  Workspace workspace{2};
  Context ctx{workspace};
  const Tensor<double> table = noise({kByteValues, kWidth}, 2);

  /// Rows of x and their bytes.
  std::vector<std::uint8_t> bytes_of(Index n) const {
    std::vector<std::uint8_t> bytes;
    for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(37 * i + 5));
    return bytes;
  }
  static SoftmaxHead<double> make(bool tied, double soft_cap) {
    SoftmaxHead<double> head(kWidth, tied, soft_cap);
    testing::fill_parameters(head, {3});
    return head;
  }
};

TEST_F(SoftmaxHeadTest, LogitsAreOfItsWeightOrOfTheTable) {
  const Tensor<double> x = noise({1, 3, kWidth});
  for (const bool tied : {false, true}) {
    for (const double cap : {0.0, 0.4}) {
      const SoftmaxHead<double> head = make(tied, cap);
      EXPECT_EQ(head.tied(), tied);
      Tensor<double> z({1, 3, kByteValues});
      head.logits(ctx, testing::view(x), table, testing::view(z));
      Matrix<double> expected =
          x.mat() * (tied ? Matrix<double>(table.mat().transpose()) : Matrix<double>(head.weight.mat()));
      if (cap > 0) expected = cap * (expected.array() / cap).tanh();
      EXPECT_LT((z.mat() - expected).cwiseAbs().maxCoeff(), 1e-14);
    }
  }
}

TEST_F(SoftmaxHeadTest, ScoresTheByteInNats) {
  const SoftmaxHead<double> head = make(false, 0);
  constexpr Index kRows = 2050;  // more than a tile
  const Tensor<double> x = noise({1, kRows, kWidth});
  const std::vector<std::uint8_t> bytes = bytes_of(kRows);
  std::vector<double> losses(kRows);
  head.score(ctx, testing::view(x), table, bytes.data(), losses.data());
  for (const Index i : {Index{0}, Index{2047}, Index{2048}, kRows - 1}) {
    const Matrix<double> z = x.mat().row(i) * head.weight.mat();
    EXPECT_NEAR(losses[static_cast<std::size_t>(i)],
                std::log(z.array().exp().sum()) - z(0, bytes[static_cast<std::size_t>(i)]), 1e-13);
  }
}

TEST_F(SoftmaxHeadTest, TrainingGivesTheLossesOfScoring) {
  constexpr Index kRows = 2050;
  const Tensor<double> x = noise({1, kRows, kWidth});
  const std::vector<std::uint8_t> bytes = bytes_of(kRows);
  for (const bool tied : {false, true}) {
    const SoftmaxHead<double> head = make(tied, 0.4);
    SoftmaxHead<double> grad = head;
    grad.weight.fill(0);
    Tensor<double> scored({kRows}), trained({kRows}), dx = x, grad_table({kByteValues, kWidth});
    head.score(ctx, testing::view(x), table, bytes.data(), scored.data());
    head.train(ctx, testing::view(x), table, bytes.data(), 0.5, trained.data(), testing::view(dx), grad, grad_table);
    EXPECT_LT(testing::relative_error(trained, scored), 1e-14);
    // Only the weight that is read has a gradient.
    const Matrix<double> of_weight = tied ? Matrix<double>(grad_table.mat().transpose()) : Matrix<double>(grad.weight.mat());
    EXPECT_GT(of_weight.cwiseAbs().maxCoeff(), 0.1);
    EXPECT_EQ(tied ? grad.weight.size() : Index(grad_table.vec().cwiseAbs().maxCoeff()), 0);
  }
}

TEST_F(SoftmaxHeadTest, CostsAndNames) {
  EXPECT_EQ(make(true, 0).flops(3, kWidth), 2 * 3 * 5 * 256);
  EXPECT_EQ(make(true, 0).scratch(3), 3 * 256);
  EXPECT_EQ(make(true, 0).scratch(100000), 2048 * 256);
  std::vector<std::string> names;
  const SoftmaxHead<double> own = make(false, 0), tied = make(true, 0);
  const auto add = [&](const Name& name, const auto&) {
    names.push_back(name.str());
    EXPECT_EQ(name.role, Role::head);
  };
  SoftmaxHead<double>::visit(Name{nullptr, "head"}, add, own);
  SoftmaxHead<double>::visit(Name{nullptr, "head"}, add, tied);
  EXPECT_EQ(names, std::vector<std::string>{"head.weight"});
}

}  // namespace
}  // namespace megalith::tests

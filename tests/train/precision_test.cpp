// SPDX-License-Identifier: Apache-2.0
// Training with products in bf16.
#include <gtest/gtest.h>

#include <cmath>

#include "megalith/kernels/gemm.h"
#include "megalith/megalith.h"
#include "megalith/train/train_config.h"

namespace megalith {
namespace {

TEST(PrecisionNames, AreKnown) {
  EXPECT_EQ(parse_precision("bf16"), Precision::bf16);
  EXPECT_EQ(to_string(Precision::fp32), "fp32");
  try {
    parse_precision("fp8");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("\"fp8\""), std::string::npos);
  }
}

TEST(PrecisionBf16, IsRefusedWhereTheProcessorLacksIt) {
  TrainConfig config{.budget = {.steps = 1}, .precision = Precision::bf16};
  if (has_bf16_gemm()) {
    EXPECT_NO_THROW(config.validate(*make_summary(load_config("megabyte-tiny"))));
    return;
  }
  try {
    config.validate(*make_summary(load_config("megabyte-tiny")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("BF16"), std::string::npos) << error.what();
  }
}

/// The gradient of the first parameter that is a weight of a product, and the loss, of one step of a small model.
std::pair<double, Tensor<float>> gradient(Precision of_products) {
  ModelConfig config = load_config("megabyte-tiny");
  config.residual_init = 1;  // else the branches start at nothing
  const auto model = make_model(config);
  model->init(RandomKey{3});
  const auto grad = model->clone();
  for (const Parameter& p : grad->parameters()) p.tensor->fill(0);
  const Shape shape{2, model->config().length};
  Workspace workspace(2);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  ctx.precision = of_products;
  const auto tape = model->make_tape(shape);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(random_bits(RandomKey{2}, i) % 7);
  std::vector<float> losses(bytes.size());
  model->train(ctx, {bytes.data(), shape.B, shape.T}, 1.0f / static_cast<float>(shape.rows()), losses, *grad, *tape);
  double sum = 0;
  for (const float loss : losses) sum += loss;
  for (const Parameter& p : grad->parameters())
    if (p.name.find("table") != std::string::npos) return {sum, *p.tensor};
  return {sum, {}};
}

TEST(PrecisionBf16, GivesNearlyTheSameGradient) {
  if (!has_bf16_gemm()) GTEST_SKIP() << "this processor has neither AMX nor AVX-512 BF16 instructions";
  const auto [loss, exact] = gradient(Precision::fp32);
  const auto [rounded_loss, rounded] = gradient(Precision::bf16);
  EXPECT_NE(loss, rounded_loss) << "the products were not rounded";
  EXPECT_NEAR(rounded_loss, loss, 0.01 * loss);
  ASSERT_FALSE(exact.empty());
  EXPECT_LT((exact.vec() - rounded.vec()).norm(), 0.05f * exact.vec().norm());
}

}  // namespace
}  // namespace megalith

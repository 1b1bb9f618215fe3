// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/adamw.h"

#include <gtest/gtest.h>

#include "megalith/train/clip.h"
#include "megalith/train/weight_average.h"
#include "support/fake_model.h"
#include "support/heap_probe.h"

namespace megalith {
namespace {

using tests::FakeModel;

/// Parameters of a test's own, with a gradient beside them.
struct Numbers {
  Numbers(const std::string& name, Role role, std::initializer_list<float> values, std::initializer_list<float> gradients)
      : value({static_cast<Index>(values.size())}), gradient({static_cast<Index>(values.size())}) {
    std::copy(values.begin(), values.end(), value.data());
    std::copy(gradients.begin(), gradients.end(), gradient.data());
    values_list = {{name, role, &value}};
    gradients_list = {{name, role, &gradient}};
  }
  Tensor<float> value, gradient;
  std::vector<Parameter> values_list, gradients_list;
};

TEST(AdamW, TwoStepsByHand) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Numbers n("a.weight", Role::matrix, {1.0f, -2.0f}, {0.5f, 0.0f});
  AdamW optimiser(n.values_list, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.5, .weight_decay = 0.25});
  // t = 1: m = 0.25, v = 0.0625; without bias 0.5 and 0.25, so the step is 0.5 / (0.5 + 0.5). w = 1 - 0.1 (0.5 + 0.25).
  optimiser.update(ctx, n.values_list, n.gradients_list, 0.1, 1, 1);
  EXPECT_FLOAT_EQ(n.value.data()[0], 0.925f);
  EXPECT_FLOAT_EQ(n.value.data()[1], -1.95f);  // decay alone
  EXPECT_EQ(n.gradient.data()[0], 0.0f);  // ready for the next step
  n.gradient.data()[0] = 0.5f;
  // t = 2 with the gradient halved by its scale to 0.25: m = 0.25, v = 0.0625; without bias 1/3 and 1/7.
  optimiser.update(ctx, n.values_list, n.gradients_list, 0.1, 0.5, 2);
  const double step = (1.0 / 3) / (std::sqrt(1.0 / 7) + 0.5);
  EXPECT_FLOAT_EQ(n.value.data()[0], static_cast<float>(0.925 - 0.1 * (step + 0.25 * 0.925)));
}

TEST(AdamW, OnlyWeightsDecay) {
  for (const Role role : {Role::matrix, Role::head}) EXPECT_TRUE(decays(role));
  for (const Role role : {Role::table, Role::bias, Role::gain, Role::other}) EXPECT_FALSE(decays(role));
  Workspace workspace(1);
  Numbers n("stack.norm.gain", Role::gain, {1.0f}, {0.0f});
  AdamW(n.values_list, {.weight_decay = 0.5}).update(Context(workspace), n.values_list, n.gradients_list, 0.1, 1, 1);
  EXPECT_EQ(n.value.data()[0], 1.0f);
}

TEST(GlobalNorm, IsExactAndClips) {
  Workspace workspace(2);
  Numbers a("a", Role::other, {0, 0}, {3.0f, 0.0f}), b("b", Role::other, {0}, {-4.0f});
  const std::vector<Parameter> gradients{a.gradients_list[0], b.gradients_list[0]};
  EXPECT_EQ(GlobalNorm(gradients)(Context(workspace), gradients), 5.0);
  EXPECT_EQ(clip_factor(5, 1), 0.2);
  EXPECT_EQ(clip_factor(0.5, 1), 1);
  EXPECT_EQ(clip_factor(5, 0), 1);
}

TEST(GlobalNorm, DoesNotOverflow) {
  Workspace workspace(1);
  Numbers a("a", Role::other, {0, 0}, {3e30f, 4e30f});
  EXPECT_NEAR(GlobalNorm(a.gradients_list)(Context(workspace), a.gradients_list) / 5e30, 1, 1e-6);
}

TEST(WeightAverage, ForgetsItsFirstWeights) {
  Workspace workspace(1);
  FakeModel model;
  WeightAverage average(model, 0.5);
  model.parameters()[0].tensor->fill(1);
  average.update(Context(workspace), model.parameters(), 1);  // d = 2 / 11
  EXPECT_FLOAT_EQ(average.parameters()[0].tensor->data()[0], 9.0f / 11);
  average.update(Context(workspace), model.parameters(), 100);  // d = 0.5
  EXPECT_FLOAT_EQ(average.parameters()[0].tensor->data()[0], 10.0f / 11);
  EXPECT_EQ(average.parameters()[1].tensor->data()[0], 0.0f);
}

/// Three updates of norm, optimiser and average on `threads` threads.
std::vector<float> updated(int threads) {
  Workspace workspace(threads);
  const Context ctx(workspace);
  FakeModel model, gradient;
  model.init({1});
  gradient.init({2});
  const std::vector<Parameter> values = model.parameters(), gradients = gradient.parameters();
  AdamW optimiser(values, {});
  GlobalNorm norm(values);
  WeightAverage average(model, 0.9);
  std::vector<float> all;
  for (std::int64_t t = 1; t <= 3; ++t) {
    gradient.init({static_cast<std::uint64_t>(t)});
    const auto step = [&] {
      optimiser.update(ctx, values, gradients, 0.01, clip_factor(norm(ctx, gradients), 1), t);
      average.update(ctx, values, t);
    };
    if (t < 3) step();
    else EXPECT_EQ(tests::allocations_in(step), 0);
  }
  for (const Parameter& p : values) all.insert(all.end(), p.tensor->data(), p.tensor->data() + p.tensor->size());
  for (const Parameter& p : average.parameters())
    all.insert(all.end(), p.tensor->data(), p.tensor->data() + p.tensor->size());
  return all;
}

TEST(AdamW, SameBitsOnAnyNumberOfThreads) {
  const std::vector<float> one = updated(1);
  for (const int threads : {2, 3, 7}) EXPECT_EQ(updated(threads), one) << threads;
}

}  // namespace
}  // namespace megalith

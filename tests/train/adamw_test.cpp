// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/adamw.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/fake_model.h"
#include "support/heap_probe.h"
#include "train/numbers.h"

namespace megalith {
namespace {

using namespace tests;

TEST(AdamW, TwoStepsByHand) {
  Workspace workspace(1);
  const Context ctx(workspace);
  Numbers n("a.weight", Role::matrix, {1.0f, -2.0f}, {0.5f, 0.0f});
  AdamW optimizer(n.values_list, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0.5, .weight_decay = 0.25});
  // t = 1: m = 0.25, v = 0.0625; without bias 0.5 and 0.25, so the step is 0.5 / (0.5 + 0.5). w = 1 - 0.1 (0.5 + 0.25).
  optimizer.update(ctx, n.values_list, n.gradients_list, 0.1, 1, 1);
  EXPECT_FLOAT_EQ(n.value.data()[0], 0.925f);
  EXPECT_FLOAT_EQ(n.value.data()[1], -1.95f);  // decay alone
  EXPECT_EQ(n.gradient.data()[0], 0.0f);       // ready for the next step
  n.gradient.data()[0] = 0.5f;
  // t = 2 with the gradient halved by its scale to 0.25: m = 0.25, v = 0.0625; without bias 1/3 and 1/7.
  optimizer.update(ctx, n.values_list, n.gradients_list, 0.1, 0.5, 2);
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

TEST(AdamW, VisitsBothMomentsOfAllParameters) {
  FakeModel model;
  AdamW optimizer(model.parameters(), {});
  std::vector<std::string> seen;
  const auto note = [&](std::string_view group, std::size_t p, const Tensor<float>& tensor, StateNumbers numbers) {
    EXPECT_EQ(tensor.size(), model.parameters()[p].tensor->size());
    EXPECT_EQ(numbers, group == "second" ? StateNumbers::not_negative : StateNumbers::finite);
    seen.push_back(text(group, p));
  };
  const std::vector<std::string> expected{"first0", "first1", "second0", "second1"};
  optimizer.visit_state(AdamW::Visitor<Tensor<float>>(note));
  EXPECT_EQ(seen, expected);
  seen.clear();
  std::as_const(optimizer).visit_state(note);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(optimizer.bytes_per_parameter(), 8);
}

/// The weights after three updates on `threads` threads.
std::vector<float> updated(int threads) {
  Workspace workspace(threads);
  FakeModel model, gradient;
  model.init({1});
  const std::vector<Parameter> values = model.parameters(), gradients = gradient.parameters();
  AdamW optimizer(values, {});
  for (std::int64_t t = 1; t <= 3; ++t) {
    gradient.init({static_cast<std::uint64_t>(t)});
    const auto step = [&] { optimizer.update(Context(workspace), values, gradients, 0.01, 0.5, t); };
    if (t < 3) step();
    else EXPECT_EQ(allocations_in(step), 0);
  }
  return all_numbers(values);
}

TEST(AdamW, SameBitsOnAnyNumberOfThreads) {
  const std::vector<float> one = updated(1);
  for (const int threads : {2, 3, 7}) EXPECT_EQ(updated(threads), one) << threads;
}

}  // namespace
}  // namespace megalith

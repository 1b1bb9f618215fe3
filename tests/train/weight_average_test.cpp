// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/weight_average.h"

#include <gtest/gtest.h>

#include "support/fake_model.h"
#include "support/heap_probe.h"
#include "train/numbers.h"

namespace megalith {
namespace {

using namespace tests;

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

/// The average after three updates on `threads` threads.
std::vector<float> averaged(int threads) {
  Workspace workspace(threads);
  FakeModel model;
  model.init({1});
  const std::vector<Parameter> values = model.parameters();
  WeightAverage average(model, 0.9);
  for (std::int64_t t = 1; t <= 3; ++t) {
    model.init({static_cast<std::uint64_t>(t + 1)});
    const auto step = [&] { average.update(Context(workspace), values, t); };
    if (t < 3) step();
    else EXPECT_EQ(allocations_in(step), 0);
  }
  return all_numbers(average.parameters());
}

TEST(WeightAverage, SameBitsOnAnyNumberOfThreads) {
  const std::vector<float> one = averaged(1);
  for (const int threads : {2, 3, 7}) EXPECT_EQ(averaged(threads), one) << threads;
}

}  // namespace
}  // namespace megalith

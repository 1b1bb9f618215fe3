// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/clip.h"

#include <gtest/gtest.h>

#include "support/fake_model.h"
#include "support/heap_probe.h"
#include "train/numbers.h"

namespace megalith {
namespace {

using namespace tests;

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

TEST(GlobalNorm, SameBitsOnAnyNumberOfThreads) {
  FakeModel gradient;
  gradient.init({2});
  const std::vector<Parameter> gradients = gradient.parameters();
  GlobalNorm norm(gradients);
  Workspace alone(1);
  const double one = norm(Context(alone), gradients);
  EXPECT_GT(one, 0);
  for (const int threads : {2, 3, 7}) {
    Workspace workspace(threads);
    norm(Context(workspace), gradients);
    double again = 0;
    EXPECT_EQ(allocations_in([&] { again = norm(Context(workspace), gradients); }), 0);
    EXPECT_EQ(again, one) << threads;
  }
}

}  // namespace
}  // namespace megalith

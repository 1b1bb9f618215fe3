// SPDX-License-Identifier: Apache-2.0
// What every module must satisfy, one test for each property, run over the lists of support/modules.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "megalith/kernels/attention_tiles.h"
#include "megalith/testing/causality_check.h"
#include "megalith/testing/flops_check.h"
#include "megalith/testing/gradient_check.h"
#include "megalith/testing/precision_check.h"
#include "megalith/testing/repeat_check.h"
#include "megalith/testing/streaming_check.h"
#include "support/heap_probe.h"
#include "support/modules.h"

namespace megalith::tests {

using testing::Finding;
using testing::Trial;

/// The maker at a width near `width`.
template <class Case>
Case with_width(Index width) {
  Case c;
  c.width = (width + Case::kWidthStep - 1) / Case::kWidthStep * Case::kWidthStep;
  return c;
}

template <class Case>
class ModuleTest : public ::testing::Test {};
TYPED_TEST_SUITE_P(ModuleTest);

constexpr double kFloat = 2e-5;
constexpr double kExact = 1e-13;  // of sums in double that rounding alone tells apart
// Attention by rows of dot products; and longer than a tile of its keys.
constexpr Index kTwoTiles = detail::kKeyTile + 6;
constexpr Shape kShort{2, 9}, kLong{1, kTwoTiles};

TYPED_TEST_P(ModuleTest, Adjoint) {
  const auto test = [](const Trial& trial) {
    const Finding found = testing::check_gradients(TypeParam{}, trial);
    EXPECT_LT(found.error, kExact) << found.where << " at T = " << trial.shape.T << " after " << trial.before;
  };
  test({.shape = {1, 1}});
  test({.shape = kShort});
  test({.shape = kShort, .mode = Mode::infer});
  test({.shape = kShort, .before = 1});
  test({.shape = kShort, .before = 7});
  test({.shape = {2, 1}, .before = 7});
  test({.shape = kLong});
  test({.shape = {2, 30}, .before = 45});
  test({.shape = {1, 30}, .before = detail::kKeyTile - 10});
}

TYPED_TEST_P(ModuleTest, Chunks) {
  const auto test = [](Shape shape) {
    const Finding found = testing::check_chunks(TypeParam{}, {.shape = shape});
    EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
  };
  test({1, 9});
  test({3, 10});
  test({1, kTwoTiles});
  test({2, 80});
}

TYPED_TEST_P(ModuleTest, Steps) {
  const auto test = [](Shape shape) {
    const Finding found = testing::check_steps(TypeParam{}, {.shape = shape});
    EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
  };
  test({1, 9});
  test({3, 10});
  test({1, kTwoTiles});
  test({2, 80});
}

TYPED_TEST_P(ModuleTest, ClosedStateIsAFreshOne) {
  for (const Shape shape : {Shape{1, 1}, kShort, kLong}) {
    const Finding found = testing::check_closed_state(TypeParam{}, {.shape = shape});
    EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
  }
}

TYPED_TEST_P(ModuleTest, BatchParts) {
  for (const Shape shape : {Shape{3, 5}, Shape{2, kTwoTiles}}) {
    const Finding found = testing::check_batch_parts(TypeParam{}, {.shape = shape});
    EXPECT_LT(found.error, kExact) << found.where << " of T = " << shape.T;
  }
}

TYPED_TEST_P(ModuleTest, Repeatable) {
  for (const Shape shape : {kShort, kLong}) {
    const Finding found = testing::check_repeatable<double>(TypeParam{}, {.shape = shape});
    EXPECT_EQ(found.error, 0) << found.where << " of T = " << shape.T;
    const Finding in_float = testing::check_repeatable<float>(TypeParam{}, {.shape = shape});
    EXPECT_EQ(in_float.error, 0) << in_float.where << " of T = " << shape.T << ", float";
  }
}

TYPED_TEST_P(ModuleTest, Causal) {
  for (const Shape shape : {Shape{3, 10}, Shape{2, kTwoTiles}}) {
    const Finding found = testing::check_causal(TypeParam{}, {.shape = shape});
    EXPECT_EQ(found.error, 0) << found.where << " of T = " << shape.T;
  }
}

TYPED_TEST_P(ModuleTest, FloatMatchesDouble) {
  const auto test = [](const TypeParam& make, Shape shape) {
    const Finding found = testing::check_float(make, {.shape = shape});
    EXPECT_LT(found.error, kFloat) << found.where << " of T = " << shape.T << ", width " << make.width;
  };
  // Around the tiles of attention and of both product libraries.
  for (const Index tile : {64, 128, 256}) {
    if (TypeParam::kLight && tile > 64) continue;
    for (const Index T : {Index{1}, tile - 1, tile, tile + 1, 2 * tile + 3}) test(TypeParam{}, {1, T});
  }
  for (const Index tile : {128, 512}) {
    if (TypeParam::kLight && tile > 128) continue;
    for (const Index width : {Index{1}, tile - 1, tile, tile + 1, 2 * tile + 3})
      test(with_width<TypeParam>(width), {1, width > 512 ? 3 : 21});
  }
}

TYPED_TEST_P(ModuleTest, Threads) {
  // 5200 rows: products of at least 20 tiles (of 96 rows, 128 with Eigen), and 300 tiles of attention.
  const Finding found = testing::check_threads(with_width<TypeParam>(TypeParam::kLight ? 36 : 132), {.shape = {20, 260}});
  EXPECT_EQ(found.error, 0) << found.where;
  const Finding short_ones = testing::check_threads(TypeParam{}, {.shape = {200, 8}});
  EXPECT_EQ(short_ones.error, 0) << short_ones.where << ", many short sequences";
}

TYPED_TEST_P(ModuleTest, Flops) {
  for (const Shape shape : {Shape{1, 1}, Shape{3, 1}, kShort, kLong}) {
    const testing::FlopCount flops = testing::count_flops(TypeParam{}, {.shape = shape});
    EXPECT_EQ(flops.claimed, flops.steps) << "T = " << shape.T;
    EXPECT_GE(flops.forward, flops.claimed) << "T = " << shape.T;
    if (shape.T < 16) {
      EXPECT_EQ(flops.forward, flops.claimed) << "T = " << shape.T;
    }  // no tiles, so nothing is masked
  }
}

TYPED_TEST_P(ModuleTest, NoHeap) {
  if (!kHeapProbe) GTEST_SKIP() << "the address sanitizer has a heap of its own";
  for (const Trial& trial : {Trial{.shape = {2, 9}, .threads = 2}, Trial{.shape = kLong, .threads = 2}}) {
    const auto s = testing::draw_sample<float>(TypeParam{}, trial);
    using M = std::remove_const_t<decltype(s.module)>;
    const Index B = trial.shape.B, T = trial.shape.T;
    Workspace workspace(trial.threads);
    const Context ctx = testing::context_of(trial, workspace);
    Tensor<float> y = s.dy, dx = s.x;
    M grad = s.module;
    typename M::Tape tape(s.module, trial.shape);
    typename M::State state(s.module, B), dstate(s.module, B);
    const auto train = [&] {
      s.module.forward(ctx, testing::view(s.x), testing::view(y), state, tape);
      s.module.backward(ctx, testing::view(s.x), testing::view(s.dy), testing::view(dx), grad, dstate, tape);
    };
    // Which thread gets a task is left to chance, so one may meet its largest task late and grow then. What allocates in
    // every step does so in each of three tries.
    const auto least_of_three = [](auto&& measure) { return std::min({measure(), measure(), measure()}); };
    train();
    train();
    EXPECT_EQ(least_of_three([&] { return allocations_in(train); }), 0) << "in a warm training step";

    // A first generation grows the scratch; the second, in a state that was there before, takes nothing.
    const typename M::State fresh(s.module, B, T);
    typename M::State open = fresh;
    const Tensor<float> row = testing::rows_of(s.x, 0, 1);
    Tensor<float> out = testing::rows_of(y, 0, 1);
    const auto generate = [&] {
      for (Index t = 0; t < T; ++t) s.module.step(ctx.from_position(t), testing::view(row), testing::view(out), open);
    };
    generate();
    const auto allocations_in_generation = [&] {
      open = fresh;
      return allocations_in(generate);
    };
    EXPECT_EQ(least_of_three(allocations_in_generation), 0) << "in decoding";
  }
}

REGISTER_TYPED_TEST_SUITE_P(ModuleTest, Adjoint, Chunks, Steps, ClosedStateIsAFreshOne, BatchParts, Repeatable, Causal,
                            FloatMatchesDouble, Threads, Flops, NoHeap);

}  // namespace megalith::tests

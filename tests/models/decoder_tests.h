// SPDX-License-Identifier: Apache-2.0
// What every decoder must satisfy, one test for each property, over the list of support/decoders.h.
#pragma once

#include <gtest/gtest.h>

#include "megalith/testing/counting.h"
#include "megalith/testing/decoder_streaming_check.h"
#include "support/decoders.h"

namespace megalith::tests {

using testing::Finding;
using testing::Trial;

template <class Case>
class DecoderTest : public ::testing::Test {
 protected:
  static constexpr double kExact = 1e-12;
  static void expect_below(const Finding& found, double limit) { EXPECT_LT(found.error, limit) << found.where; }
};
TYPED_TEST_SUITE_P(DecoderTest);

TYPED_TEST_P(DecoderTest, Adjoint) {
  this->expect_below(testing::check_decoder_gradients(TypeParam{}, {.shape = {2, 16}}, false), this->kExact);
  this->expect_below(testing::check_decoder_gradients(TypeParam{}, {.shape = {3, 8}}, true), this->kExact);
  this->expect_below(testing::check_decoder_gradients(TypeParam{}, {.shape = {2, 24}, .mode = Mode::infer}, false),
                     this->kExact);
}

TYPED_TEST_P(DecoderTest, Repeatable) {
  this->expect_below(testing::check_decoder_repeatable(TypeParam{}, {.shape = {2, 16}}, true), 1e-300);
}

TYPED_TEST_P(DecoderTest, Score) {
  this->expect_below(testing::check_decoder_score(TypeParam{}, {.shape = {2, 24}}), this->kExact);
}

TYPED_TEST_P(DecoderTest, Chunks) {
  this->expect_below(testing::check_decoder_chunks(TypeParam{}, {.shape = {2, 24}}, 8), this->kExact);
  this->expect_below(testing::check_decoder_chunks(TypeParam{}, {.shape = {1, 24}}, 16), this->kExact);
}

TYPED_TEST_P(DecoderTest, Steps) {
  this->expect_below(testing::check_decoder_steps(TypeParam{}, {.shape = {2, 24}}), this->kExact);
}

/// Every loss depends on every byte before it: on the first bytes of the next patch too, at every scale (a wrong shift leaks
/// nothing, and passes every gradient test).
TYPED_TEST_P(DecoderTest, Causal) {
  const auto m = TypeParam{}.template operator()<float>();
  Index reach = 24;
  if constexpr (
      requires { m.stack.blocks[0].attention.branch.shape; } && !requires { m.inner; })
    if (m.stack.blocks[0].attention.branch.shape.mask.size > 0) reach = m.stack.blocks[0].attention.branch.shape.mask.size;
  this->expect_below(testing::check_decoder_causality<double>(TypeParam{}, {.shape = {2, 24}}, reach), 0.5);
  this->expect_below(testing::check_decoder_causality<float>(TypeParam{}, {.shape = {2, 24}}, 0), 0.5);
}

TYPED_TEST_P(DecoderTest, Threads) {
  this->expect_below(testing::check_decoder_threads(TypeParam{}, {.shape = {90, 24}}), 1e-300);
}

TYPED_TEST_P(DecoderTest, FloatMatchesDouble) {
  this->expect_below(testing::check_decoder_precision(TypeParam{}, {.shape = {3, 24}}), 2e-5);
}

/// The tile of the inner decoder is a setting that changes rounding alone; the last tile may be smaller.
TYPED_TEST_P(DecoderTest, Tiles) {
  const auto with_tile = []<class S>(Index bytes) {
    auto m = TypeParam{}.template operator()<S>();
    if constexpr (requires { m.tile_bytes; }) m.tile_bytes = bytes;
    return m;
  };
  const auto bytes = testing::draw_bytes(3 * 24, RandomKey{5});
  Workspace workspace(2);
  const Context ctx = testing::context_of({}, workspace);
  const auto run = [&](Index tile) {
    auto m = with_tile.template operator()<double>(tile);
    testing::fill_parameters(m, RandomKey{1});
    return testing::run_decoder(ctx, m, bytes, {3, 24}, {});
  };
  const auto whole = run(1024);
  for (const Index tile : {1, 8, 20, 40})
    this->expect_below(testing::compare_decoders(run(tile), whole, testing::kRelative), this->kExact);
}

/// Products counted by a counting scalar, in a score() (sequences are short: no tile of attention is masked).
TYPED_TEST_P(DecoderTest, Flops) {
  using testing::Counting;
  auto m = TypeParam{}.template operator()<Counting>();
  testing::fill_parameters(m, RandomKey{1});
  using M = decltype(m);
  const auto bytes = testing::draw_bytes(2 * 16, RandomKey{5});
  Workspace workspace(1);
  const Context ctx = testing::context_of({.mode = Mode::infer}, workspace);
  Tensor<Counting> losses({2, 16});
  typename M::State state(m, 2);
  const Index before = Counting::count();
  m.score(ctx, {bytes.data(), 2, 16}, {}, losses.data(), state);
  EXPECT_EQ(2.0 * static_cast<double>(Counting::count() - before), m.flops({2, 16}));
}

REGISTER_TYPED_TEST_SUITE_P(DecoderTest, Adjoint, Repeatable, Score, Chunks, Steps, Causal, Threads, FloatMatchesDouble,
                            Tiles, Flops);

}  // namespace megalith::tests

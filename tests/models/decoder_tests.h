// SPDX-License-Identifier: Apache-2.0
// What every decoder must satisfy, one test for each property, for each config of support/configs.h that a type can have.
#pragma once

#include <gtest/gtest.h>

#include "megalith/testing/counting.h"
#include "support/decoders.h"

namespace megalith::tests {

template <class Maker>
class DecoderTest : public ::testing::Test {};
TYPED_TEST_SUITE_P(DecoderTest);

/// The same decoder with small tiles, so that there are several of them.
template <class Maker>
auto with_small_tiles(const Maker& make) {
  return [make]<class S>() {
    auto m = make.template operator()<S>();
    if constexpr (requires { m.tile_bytes; }) m.tile_bytes = 8;
    return m;
  };
}

TYPED_TEST_P(DecoderTest, Adjoint) {
  for_each_config_but_sanitized<TypeParam>([](const auto& make) {
    expect_below(testing::check_decoder_gradients(make, {.shape = {2, 16}}, false), kExact);
    expect_below(testing::check_decoder_gradients(make, {.shape = {3, 8}}, true), kExact);
    expect_below(testing::check_decoder_gradients(make, {.shape = {2, 24}, .mode = Mode::infer}, false), kExact);
  });
}

TYPED_TEST_P(DecoderTest, Repeatable) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_equal_bits(testing::check_decoder_repeatable<Exact>(make, {.shape = {2, 16}}, true));
  });
}

TYPED_TEST_P(DecoderTest, Score) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_below(testing::check_decoder_score<Exact>(make, {.shape = {2, 24}}), kExact);
    expect_below(testing::check_decoder_score<Exact>(with_small_tiles(make), {.shape = {3, 24}}), kExact);
  });
}

/// With dropout, whose masks go by the sequence and the position in it.
TYPED_TEST_P(DecoderTest, Chunks) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_below(testing::check_decoder_chunks<Exact>(with_small_tiles(make), {.shape = {3, 24}}, 8), kExact);
    expect_below(testing::check_decoder_chunks<Exact>(make, {.shape = {3, 24}}, 8), kExact);
    expect_below(testing::check_decoder_chunks<Exact>(make, {.shape = {2, 24}}, 16), kExact);
  });
}

TYPED_TEST_P(DecoderTest, Steps) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_below(testing::check_decoder_steps<Exact>(make, {.shape = {2, 24}}), kExact);
  });
}

/// Every loss depends on every byte before it that the windows of attention let it see: on the first bytes of the next patch
/// too, at every scale (a wrong shift leaks nothing, and passes every gradient test).
TYPED_TEST_P(DecoderTest, Causal) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_equal_bits(testing::check_decoder_causality<Exact>(make, {.shape = {2, 24}}, reach_of(make.config)));
    expect_equal_bits(testing::check_decoder_causality<float>(make, {.shape = {2, 24}}, 0));
  });
}

TYPED_TEST_P(DecoderTest, Threads) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    expect_equal_bits(testing::check_decoder_threads(make, {.shape = {90, 24}}));
  });
}

TYPED_TEST_P(DecoderTest, FloatMatchesDouble) {
  for_each_config_but_sanitized<TypeParam>([](const auto& make) {
    expect_below(testing::check_decoder_precision(make, {.shape = {3, 24}}), 2e-5);
  });
}

/// The tile of the inner decoder is a setting that changes rounding alone; the last tile may be smaller.
TYPED_TEST_P(DecoderTest, Tiles) {
  for_each_config<TypeParam>([](const TypeParam& make) {
    const auto bytes = testing::draw_bytes(3 * 24, RandomKey{5});
    Workspace workspace(2);
    const Context ctx = testing::context_of({}, workspace);
    const auto run = [&](Index tile) {
      auto m = make.template operator()<Exact>();
      if constexpr (requires { m.tile_bytes; }) m.tile_bytes = tile;
      testing::fill_parameters(m, RandomKey{1});
      return testing::run_decoder(ctx, m, bytes, {3, 24}, {});
    };
    const auto whole = run(1024);
    for (const Index tile : {1, 8, 20, 40})
      expect_below(testing::compare_decoders(run(tile), whole, testing::kRelative), kExact);
  });
}

/// Products counted by a counting scalar, in a score() (sequences are short: no tile of attention is masked).
TYPED_TEST_P(DecoderTest, Flops) {
  using testing::Counting;
  for_each_config_but_sanitized<TypeParam>([](const auto& make) {
    auto m = make.template operator()<Counting>();
    testing::fill_parameters(m, RandomKey{1});
    using M = decltype(m);
    const auto bytes = testing::draw_bytes(2 * 16, RandomKey{5});
    Workspace workspace(1);
    const Context ctx = testing::context_of({.mode = Mode::infer}, workspace);
    Tensor<Counting> losses({2, 16});
    typename M::State state(m, 2);
    const Index before = Counting::count();
    m.score(ctx, {bytes.data(), 2, 16}, {}, losses.data(), state);
    double claimed = 0;
    for (const DecoderFlops& part : m.flops_by_part({2, 16})) claimed += part.flops;
    EXPECT_EQ(2.0 * static_cast<double>(Counting::count() - before), claimed);
  });
}

REGISTER_TYPED_TEST_SUITE_P(DecoderTest, Adjoint, Repeatable, Score, Chunks, Steps, Causal, Threads, FloatMatchesDouble,
                            Tiles, Flops);

}  // namespace megalith::tests

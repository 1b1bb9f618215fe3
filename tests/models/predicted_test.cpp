// SPDX-License-Identifier: Apache-2.0
// Training that predicts the ends of windows alone, against training on everything.
#include <gtest/gtest.h>

#include "megalith/models/sliding_window.h"
#include "support/decoders.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

using testing::DecoderOutcome;

ModelConfig predicting(ModelConfig config, Index predicted) {
  config.scales[0].stack.block.as<PerceiverConfig>().predicted = predicted;
  return config;
}

TEST(Predicted, WholeChunksAtTheEnd) {
  const PerceiverAr<ShapeOnly> m(predicting(config_named("perceiver"), 8), 0);  // chunks of 8
  for (const auto& [T, expected] : {std::pair<Index, Index>{32, 8}, {8, 8}, {5, 5}, {9, 9}, {16, 8}, {30, 14}})
    EXPECT_EQ(m.predicted(T), expected) << T;
  const PerceiverAr<ShapeOnly> wide(predicting(config_named("perceiver"), 9), 0);
  EXPECT_EQ(wide.predicted(32), 16);
  EXPECT_EQ(PerceiverAr<ShapeOnly>(config_named("perceiver"), 0).predicted(32), 32);
}

/// The losses of the last bytes, 0 before them, and the gradients are those of training on everything in which the loss of
/// the first bytes has no weight. With dropout, whose masks go by the position.
TEST(Predicted, GradientsOfTheEnds) {
  constexpr Index B = 3, T = 24;
  for (const auto& [name, predicted] : {std::pair<const char*, Index>{"perceiver", 8}, {"perceiver_rotary", 8}}) {
    SCOPED_TRACE(name);
    const ModelConfig config = config_named(name);
    const PerceiverArMaker all{config}, ends{predicting(config, predicted)};
    const Index context = T - predicted;
    const Trial trial{.shape = {B, T}};
    const auto bytes = testing::draw_bytes(B * T, RandomKey{1});
    Workspace workspace(2);
    const Context ctx = testing::context_of(trial, workspace);
    const auto m = testing::draw_decoder<Exact>(all, trial);
    using M = std::remove_const_t<decltype(m)>;

    // In two pieces, the gradient going from the second to the first by the state.
    DecoderOutcome<M> pieces{Tensor<Exact>({B, T}), {}, m};
    set_zero(pieces.grad);
    const auto head = testing::columns_of(bytes, trial.shape, 0, context);
    const auto tail = testing::columns_of(bytes, trial.shape, context, predicted);
    Tensor<Exact> head_losses({B, context}), tail_losses({B, predicted});
    typename M::State start(m, B, T), state(m, B, T), dstate(m, B, T);
    typename M::Tape head_tape(m, {B, context}), tail_tape(m, {B, predicted});
    M unused = m;
    m.train(ctx, {head.data(), B, context}, {}, {}, Exact(0), head_losses.data(), unused, state, dstate, head_tape);
    dstate = typename M::State(m, B, T);
    m.train(ctx.from_position(context), {tail.data(), B, predicted}, {}, {}, Exact(testing::kLossScale), tail_losses.data(),
            pieces.grad, state, dstate, tail_tape);
    m.train(ctx, {head.data(), B, context}, {}, {}, Exact(0), head_losses.data(), pieces.grad, start, dstate, head_tape);
    for (Index b = 0; b < B; ++b)
      std::copy_n(tail_losses.data() + b * predicted, predicted, pieces.losses.data() + b * T + context);

    const auto outcome = testing::run_decoder(ctx, testing::draw_decoder<Exact>(ends, trial), bytes, {B, T}, {});
    expect_below(testing::compare_decoders(outcome, pieces, testing::kRelative), kExact);
    for (Index b = 0; b < B; ++b)
      for (Index t = 0; t < context; ++t) EXPECT_EQ(outcome.losses.data()[b * T + t], 0) << t;
  }
}

TEST(Predicted, Properties) {
  for (const char* const name : {"perceiver", "perceiver_rotary"}) {
    SCOPED_TRACE(name);
    const PerceiverArMaker make{predicting(config_named(name), 8)};
    expect_equal_bits(testing::check_decoder_repeatable<Exact>(make, {.shape = {2, 16}}, false));
    expect_equal_bits(testing::check_decoder_threads(make, {.shape = {90, 24}}));
#if !MEGALITH_SANITIZED  // kNotUnderSanitizers
    expect_below(testing::check_decoder_precision(make, {.shape = {3, 24}}), 2e-5);
    expect_below(testing::check_decoder_gradients(make, {.shape = {2, 24}}, false), kExact);
#endif
  }
}

/// Scoring, reading and generating know nothing of it.
TEST(Predicted, ScoreAndStepsAreThoseOfAllBytes) {
  const PerceiverArMaker make{predicting(config_named("perceiver_rotary"), 8)};
  expect_below(testing::check_decoder_steps<Exact>(make, {.shape = {2, 24}}), kExact);
  expect_equal_bits(testing::check_decoder_causality<Exact>(make, {.shape = {2, 24}}, 24));
}

/// The forward cost of a window of T bytes with N latents, D wide, L layers behind the first and V byte values, as the
/// paper's model has it: products 4TD² + 22ND² + 24LND² + 2NDV, and 4D for each pair that attention sees.
TEST(Predicted, FlopsAreThoseOfThePaper) {
  constexpr Index T = 1024, N = 256, D = 512, L = 5, V = kByteValues;
  ModelConfig config{.length = T,
                     .scales = {{.stack = {.width = D,
                                           .layers = 1 + L,
                                           .block = PerceiverConfig{.latents = N, .predicted = N, .layer = {.heads = 8}}}}}};
  const auto summary = make_summary(config);
  double products = 0, attention = 0;
  for (const FlopsPart& part : summary->flops_by_part({3, T}))
    (part.name == "attention" ? attention : products) += part.flops;
  constexpr double t = T, n = N, d = D, l = L, v = V;
  EXPECT_EQ(products, 3 * (4 * t * d * d + 22 * n * d * d + 24 * l * n * d * d + 2 * n * d * v));
  // The paper's formula counts all T of N x T, and N^2 / 2 of the others.
  const double own_chunk = n * (n + 1) / 2;
  EXPECT_EQ(attention, 3 * 4 * d * (n * (t - n) + own_chunk + l * own_chunk));
  EXPECT_EQ(flops_per_byte(*summary, T), summary->flops({1, T}) / N);
}

TEST(Predicted, AStateIsRefused) {
  const auto model = make_model(predicting(config_named("perceiver"), 8));
  const auto grad = model->clone();
  const auto tape = model->make_tape({1, 32});
  const auto state = model->make_state(1);
  const std::vector<std::uint8_t> bytes(32);
  std::vector<float> losses(32);
  Workspace workspace(1);
  EXPECT_ERROR(model->train(Context(workspace), {bytes.data(), 1, 32}, 1, losses, *grad, *tape, state.get()),
               "predicts the last 8 of 32 bytes");
  model->score(Context(workspace), {bytes.data(), 1, 32}, losses, state.get());
}

/// A shorter window may keep more: chunks of 8 leave all 15 of 15, and 8 of 32.
TEST(Predicted, ATapeForLongerWindowsMayBeTooSmall) {
  const auto model = make_model(predicting(config_named("perceiver"), 8));
  const auto grad = model->clone();
  const auto tape = model->make_tape({1, 32});
  ASSERT_GT(model->summary().predicted(15), model->summary().predicted(32));
  const std::vector<std::uint8_t> bytes(32);
  std::vector<float> losses(32);
  Workspace workspace(1);
  EXPECT_ERROR(model->train(Context(workspace), {bytes.data(), 1, 15}, 1, losses, *grad, *tape),
               "a tape made for 1 x 32 bytes cannot hold 1 x 15");
  model->train(Context(workspace), {bytes.data(), 1, 16}, 1, losses, *grad, *tape);
}

TEST(Predicted, WindowsSlideByTheBytesThatArePredicted) {
  EXPECT_EQ(SlidingWindow::of(*make_model(predicting(config_named("perceiver"), 8))).stride, 8);
  EXPECT_EQ(SlidingWindow::of(*make_model(config_named("perceiver"))).stride, 16);
}

}  // namespace
}  // namespace megalith::tests

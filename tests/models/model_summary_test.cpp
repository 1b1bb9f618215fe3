// SPDX-License-Identifier: Apache-2.0
// What a model says of itself before it is made, against the model that is made.
#include "megalith/models/model_summary.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "megalith/models/any_model.h"
#include "megalith/models/zoo.h"
#include "support/configs.h"
#include "support/heap_probe.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

std::map<std::string, double> flops_of(const char* name, Index T) {
  std::map<std::string, double> parts;
  for (const FlopsPart& part : make_summary(preset(name).config)->flops_by_part({1, T})) parts[part.name] = part.flops;
  return parts;
}
std::string names_of(const auto& parts) {
  std::string all;
  for (const auto& part : parts) all += part.name + ", ";
  return all;
}

TEST(ModelSummary, ParametersAreThoseOfTheModel) {
  for (const NamedConfig& c : unusual_configs()) {
    SCOPED_TRACE(c.name);
    const auto model = make_model(c.config);
    double sum = 0;
    for (const Parameter& p : model->parameters()) sum += static_cast<double>(p.tensor->size());
    EXPECT_EQ(make_summary(c.config)->parameter_count(), sum);
    EXPECT_EQ(model->summary().parameter_count(), sum);
    EXPECT_EQ(model->parameter_count(), static_cast<Index>(sum));
    EXPECT_EQ(model->unit(), c.config.scales[0].patch);
    EXPECT_EQ(model->window(), c.config.length);
  }
}

TEST(ModelSummary, WithoutALongestSequenceWhereTheStateIsOfOneSize) {
  const std::set<std::string> endless{"vanilla_window", "vanilla_recompute", "linear",
                                      "megalodon",      "embedder",          "linear_megabyte"};
  for (const NamedConfig& c : unusual_configs()) {
    SCOPED_TRACE(c.name);
    const auto summary = make_summary(c.config);
    EXPECT_EQ(summary->max_length(), endless.contains(c.name) ? std::nullopt : std::optional(c.config.length));
    if (!endless.contains(c.name)) continue;
    const auto model = make_model(c.config);
    EXPECT_EQ(model->max_length(), std::nullopt);
    EXPECT_EQ(model->make_state(2)->save().size(), model->make_state(2, 1 << 20)->save().size());
    EXPECT_EQ(summary->state_bytes(2, 1 << 20), summary->state_bytes(2, c.config.length));
  }
  // Attention that sees further back than a window was never trained to.
  ModelConfig config = config_named("megalodon");
  config.scales[0].stack.block.as<MegalodonConfig>().chunk = 33;
  EXPECT_EQ(make_summary(config)->max_length(), 32);
  config.scales[0].stack.block.as<MegalodonConfig>().chunk = 32;
  EXPECT_EQ(make_summary(config)->max_length(), std::nullopt);
  config.scales[0].stack.positions = PositionKind::learned;
  EXPECT_EQ(make_summary(config)->max_length(), 32);
}

TEST(ModelSummary, PartsOfParametersAreNamed) {
  const auto parts_of = [](const char* name) { return names_of(make_summary(config_named(name))->parameters_by_part()); };
  EXPECT_EQ(parts_of("vanilla"), "embeddings, stack, ");
  EXPECT_EQ(parts_of("vanilla_window"), "embeddings, stack, head, ");
  EXPECT_EQ(parts_of("megabyte"), "global embeddings, global stack, condition, local embeddings, local stack, ");
  EXPECT_EQ(parts_of("embedder"),
            "global embeddings, global embedder, global stack, condition, local embeddings, local stack, head, ");
  EXPECT_EQ(parts_of("convolution"),
            "global embeddings, global embedder, global stack, condition, local embeddings, local stack, ");
  EXPECT_EQ(parts_of("three_scales_previous"),
            "global embeddings, global embedder, global stack, middle condition, middle embeddings, middle embedder, middle "
            "stack, local condition, local embeddings, local stack, head, ");
}

TEST(ModelSummary, PartsOfParametersByHand) {
  std::map<std::string, double> parts;
  for (const SizePart& part : make_summary(config_named("embedder"))->parameters_by_part())
    parts[part.name] = part.parameters;
  // 256 bytes and a pad of 4 bytes, 3 wide; 12 to 10 and back; 4 slots of 3 to 8; 32 positions, 8 wide; the output matrix.
  EXPECT_EQ(parts.at("global embeddings"), 256 * 3 + 12);
  EXPECT_EQ(parts.at("global embedder"), 12 * 10 + 10 * 12);
  EXPECT_EQ(parts.at("condition"), 3 * 8);
  EXPECT_EQ(parts.at("local embeddings"), 256 * 8 + 8 + 4 * 8);
  EXPECT_EQ(parts.at("head"), 8 * 256);
}

// Three convolutions of 4 channels, with biases, over each byte.
TEST(ModelSummary, TheConvolutionIsPartOfTheEmbedder) {
  const auto summary = make_summary(config_named("convolution"));
  for (const SizePart& part : summary->parameters_by_part())
    if (part.name == "global embedder") EXPECT_EQ(part.parameters, (3 + 5 + 7) * 4 * 4 + 3 * 4);
  const auto parts = summary->flops_by_part({2, 16});
  EXPECT_EQ(parts.front().name, "global embedder");
  EXPECT_EQ(parts.front().flops, 32 * 2 * (3 + 5 + 7) * 4 * 4);
}

// The number of parameters of the PyTorch model of that shape.
TEST(ModelSummary, R1HasTheParametersOfTheReference) {
  EXPECT_EQ(make_summary(preset("megabyte-small").config)->parameter_count(), 20662016);
}

// The terms of R1, by hand.
TEST(ModelSummary, FlopsOfMegabyteSmall) {
  const std::map<std::string, double> expected{{"global products", 6 * 128 * 24.0 * 512 * 512},
                                               {"global attention", 6 * 4.0 * 512 * (128 * 129 / 2)},
                                               {"condition", 1024 * 2.0 * 64 * 256},
                                               {"local products", 2 * 1024 * 24.0 * 256 * 256},
                                               {"local attention", 2 * 128 * 4.0 * 256 * (8 * 9 / 2)},
                                               {"head", 1024 * 2.0 * 256 * 256}};
  EXPECT_EQ(flops_of("megabyte-small", 1024), expected);
}

TEST(ModelSummary, PartsOfFlopsAreNamedByScale) {
  const auto names = [](const char* name) { return names_of(make_summary(preset(name).config)->flops_by_part({1, 12288})); };
  EXPECT_EQ(names("vanilla-small-flops"), "products, attention, head, ");
  EXPECT_EQ(names("megabyte-three-scale"),
            "global products, global attention, middle condition, middle products, middle attention, local condition, "
            "local products, local attention, head, ");
  EXPECT_EQ(names("paper-image64"),
            "global embedder, global products, global attention, condition, local products, local attention, head, ");
}

// The paper's model of text: its sizes are nominal, and most of its cost is local. Too large to be made here.
TEST(ModelSummary, PaperText) {
  const auto parts = flops_of("paper-text", 8192);
  EXPECT_NEAR(parts.at("global products") / 2 / 1024, 704.6e6, 0.1e6);  // printed: 758M
  EXPECT_NEAR(parts.at("local products") / 2 / 8192, 226.5e6, 0.1e6);   // printed: 262M
  EXPECT_NEAR(parts.at("global attention") / 8192, 14.0 * 4 * 2048 * 1025 / 2 / 8, 1);
  const auto summary = make_summary(preset("paper-text").config);
  EXPECT_NEAR((parts.at("local products") + parts.at("local attention")) / summary->flops({1, 8192}), 0.71, 0.001);
  EXPECT_GT(summary->parameter_count(), 930e6);
}

class SummaryOfMemory : public ::testing::TestWithParam<NamedConfig> {
 protected:
  static constexpr Index kLength = 512;
  const ModelConfig config_ = enlarged(GetParam().config, 8, kLength);
  const std::unique_ptr<ModelSummary> summary_ = make_summary(config_);
  const std::unique_ptr<AnyModel> model_ = make_model(config_);

  /// That make() leaves about that many bytes on the heap. Beside numbers there are only headers, padding and bytes read.
  template <class F>
  static void expect_on_heap(double expected, F&& make) {
    if (!kHeapProbe) GTEST_SKIP() << "the heap of the address sanitizer tells nothing";
    const std::size_t before = live_heap();
    const auto kept = make();
    EXPECT_NEAR(static_cast<double>(live_heap() - before), expected, 0.01 * expected + 64 * 1024);
  }
  /// Blocks of scratch double in size and are not filled to their ends, and products take some too.
  static void expect_about(double expected, const Workspace& workspace) {
    const auto taken = static_cast<double>(workspace.capacity());
    EXPECT_GT(taken, 0.9 * expected);
    EXPECT_LT(taken, 4 * expected + 4e6);
  }
};
NamedConfig ends_of_windows() {
  NamedConfig c{"ends_of_windows", config_named("perceiver_rotary")};
  c.config.scales[0].stack.block.as<PerceiverConfig>().predicted = 100;
  return c;
}
INSTANTIATE_TEST_SUITE_P(Configs, SummaryOfMemory, ::testing::ValuesIn(unusual_configs()),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(Others, SummaryOfMemory, ::testing::Values(ends_of_windows()),
                         [](const auto& info) { return info.param.name; });

TEST_P(SummaryOfMemory, TheTapeIsThatOfTheModel) {
  for (const Shape shape : {Shape{8, kLength}, Shape{3, kLength / 2}})
    expect_on_heap(summary_->tape_bytes(shape), [&] { return model_->make_tape(shape); });
}

TEST_P(SummaryOfMemory, TheStateIsThatOfTheModel) {
  expect_on_heap(summary_->state_bytes(8, kLength), [&] { return model_->make_state(8); });
  expect_on_heap(summary_->state_bytes(16, 200), [&] { return model_->make_state(16, 200); });
}

TEST_P(SummaryOfMemory, ScratchIsAboutThatOfTraining) {
  const auto gradient = model_->clone();
  const Shape shape{4, kLength};
  const auto tape = model_->make_tape(shape);
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()), 'a');
  std::vector<float> losses(bytes.size());
  Workspace workspace(2);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  model_->train(ctx, {bytes.data(), shape.B, shape.T}, 1, losses, *gradient, *tape);
  expect_about(summary_->training_scratch_bytes(shape, 2), workspace);
}

TEST_P(SummaryOfMemory, ScratchIsAboutThatOfScoring) {
  const Shape shape{16, kLength};
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()), 'a');
  std::vector<float> losses(bytes.size());
  Workspace workspace(1);
  model_->score(Context(workspace), {bytes.data(), shape.B, shape.T}, losses);
  expect_about(summary_->scoring_scratch_bytes(shape, 1), workspace);
}

/// The refusal of what takes a thousand times what any machine has, before any of it is asked for.
TEST(ModelSummary, WhatFitsNoMachineIsRefused) {
  const StackConfig wide{
      .width = 65536, .layers = 1024, .positions = PositionKind::none, .block = TransformerConfig{.heads = 1}};
  EXPECT_ERROR(make_model({.scales = {{.stack = wide}}}), "a model of 52");
  const StackConfig small{
      .width = 256, .layers = 4, .positions = PositionKind::none, .block = TransformerConfig{.heads = 1}};
  const auto model = make_model({.length = Index{1} << 31, .scales = {{.stack = small}}});
  EXPECT_ERROR(model->make_state(8), "reading 8 sequences of 2147483648 bytes takes about 140737488 MB of memory");
}

TEST(ModelSummary, WhatDoesNotFit64BitsIsCounted) {
  const StackConfig widest{.width = 65536, .layers = 1024, .block = TransformerConfig{.heads = 1, .hidden = 1 << 20}};
  const ModelConfig config{.length = Index{1} << 31, .scales = {{.stack = widest}}};
  const auto summary = make_summary(config);
  EXPECT_GT(summary->tape_bytes({1'000'000, config.length}), 1e25);
  EXPECT_GT(summary->state_bytes(1'000'000, config.length), 1e24);
  EXPECT_GT(summary->flops({1'000'000, config.length}), 1e29);
}

TEST(ModelSummary, OfAConfigThatIsNotSoundThereIsNone) {
  EXPECT_ERROR(make_summary({.length = 32, .scales = {}}), "scales must have 1 to 3 entries, not 0");
}

}  // namespace
}  // namespace megalith::tests

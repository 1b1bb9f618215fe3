// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/memory.h"

#include <gtest/gtest.h>

#include <vector>

#include "megalith/models/any_model.h"
#include "megalith/models/zoo.h"
#include "support/heap_probe.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// Configs of some size that differ in everything that changes what training keeps.
std::vector<ModelConfig> configs() {
  std::vector<ModelConfig> all;
  for (const char* name : {"megabyte-tiny", "megabyte-books", "megabyte-three-scale", "vanilla-small-flops"})
    all.push_back(preset(name).config);
  ModelConfig c = preset("megabyte-books").config;
  for (ScaleConfig& scale : c.scales) scale.stack.recompute = true;
  all.push_back(c);
  c = preset("megabyte-books").config;
  c.scales[0].embedding = 40;  // with a linear patch embedder
  c.scales[0].stack.window = 16;
  c.scales[0].stack.dropout = 0.1;
  c.scales[1].stack.activation = Activation::swiglu;
  all.push_back(c);
  return all;
}

/// What make() leaves on the heap, in bytes.
template <class F>
double heap_of(F&& make) {
  const std::size_t before = tests::live_heap();
  const auto kept = make();
  return static_cast<double>(tests::live_heap() - before);
}

// Besides numbers there are only headers, padding and the bytes of unfinished units.
constexpr double kSlack = 0.01, kSlackBytes = 64 * 1024;

TEST(Memory, TheTapeIsThatOfTheModel) {
  if (!tests::kHeapProbe) GTEST_SKIP() << "the heap of the address sanitizer tells nothing";
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto model = make_model(all[i]);
    for (const Shape shape : {Shape{8, all[i].length}, Shape{3, all[i].length / 2}}) {
      const double expected = training_memory(all[i], shape).tape;
      EXPECT_NEAR(heap_of([&] { return model->make_tape(shape); }), expected, kSlack * expected + kSlackBytes)
          << "config " << i << ", B " << shape.B;
    }
  }
}

TEST(Memory, TheStateIsThatOfTheModel) {
  if (!tests::kHeapProbe) GTEST_SKIP() << "the heap of the address sanitizer tells nothing";
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto model = make_model(all[i]);
    const double expected = state_memory(all[i], 3);
    EXPECT_NEAR(heap_of([&] { return model->make_state(3); }), expected, kSlack * expected + kSlackBytes) << "config " << i;
  }
}

// Blocks of scratch double in size and are not filled to their ends, and products take some too. What is touched of them is
// nearer: the tool's test measures it.
TEST(Memory, ScratchIsAboutThatOfTraining) {
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto model = make_model(all[i]);
    const auto gradient = model->clone();
    const Shape shape{4, all[i].length};
    const auto tape = model->make_tape(shape);
    const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()), 'a');
    std::vector<float> losses(bytes.size());
    Workspace workspace(2);
    Context ctx(workspace);
    ctx.mode = Mode::train;
    model->train(ctx, {bytes.data(), shape.B, shape.T}, 1, losses, *gradient, *tape);
    const double expected = training_memory(all[i], shape).scratch, taken = static_cast<double>(workspace.capacity());
    EXPECT_GT(taken, 0.9 * expected) << "config " << i;
    EXPECT_LT(taken, 4 * expected + 4e6) << "config " << i;
  }
}

TEST(Memory, ScoringIsAboutThatOfTheModel) {
  const std::vector<ModelConfig> all = configs();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto model = make_model(all[i]);
    const Shape shape{16, all[i].length};
    const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape.rows()), 'a');
    std::vector<float> losses(bytes.size());
    Workspace workspace(1);
    model->score(Context(workspace), {bytes.data(), shape.B, shape.T}, losses);
    const double expected = scoring_memory(all[i], shape), taken = static_cast<double>(workspace.capacity());
    EXPECT_GT(taken, 0.9 * expected) << "config " << i;
    EXPECT_LT(taken, 4 * expected + 4e6) << "config " << i;
  }
}

/// The refusal of what takes a thousand times what any machine has, before any of it is asked for.
TEST(Memory, WhatFitsNoMachineIsRefused) {
  const StackConfig wide{.width = 65536, .layers = 1024, .heads = 1, .positions = PositionKind::none};
  EXPECT_ERROR(make_model({.scales = {{.stack = wide}}}), "a model of 52");
  const StackConfig small{.width = 256, .layers = 4, .heads = 1, .positions = PositionKind::none};
  const auto model = make_model({.length = Index{1} << 31, .scales = {{.stack = small}}});
  EXPECT_ERROR(model->make_state(8), "reading 8 sequences of 2147483648 bytes takes about 140737488 MB of memory");
  const double absurd =
      training_memory({.length = Index{1} << 31, .scales = {{.stack = wide}}}, {1 << 20, Index{1} << 31}).tape;
  EXPECT_GT(absurd, 1e24) << "a number that no integer holds";
}

TEST(Memory, WhatGoesWithTheParameters) {
  const ModelConfig& config = preset("paper-text").config;  // too large to be made here
  const TrainingMemory memory = training_memory(config, {1, 8192}, true);
  EXPECT_GT(memory.weights, 4 * 930e6);
  EXPECT_EQ(memory.gradient, memory.weights);
  EXPECT_EQ(memory.moments, 2 * memory.weights);
  EXPECT_EQ(memory.average, memory.weights);
  EXPECT_EQ(training_memory(config, {1, 8192}).average, 0);
  EXPECT_EQ(memory.total(), 5 * memory.weights + memory.tape + memory.scratch);
}

TEST(Memory, WhatDoesNotFit64BitsIsCounted) {
  const StackConfig widest{.width = 65536, .layers = 1024, .heads = 1, .hidden = 1 << 20};
  const ModelConfig config{.length = Index{1} << 31, .scales = {{.unit = 1, .stack = widest}}};
  config.validate();
  EXPECT_GT(training_memory(config, {1'000'000, config.length}).tape, 1e25);
  EXPECT_GT(state_memory(config, 1'000'000), 1e24);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// A block is a kind: one from outside the library (examples/parallel_block.h) is known by its name to files, summaries, the
// trainer, checkpoints and the generator, once it is registered.
#include <gtest/gtest.h>

#include <algorithm>

#include "../../examples/parallel_block.h"
#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/models/config_json.h"
#include "megalith/models/decoder_model.h"
#include "megalith/models/flat.h"
#include "megalith/models/structure.h"
#include "megalith/train/trainer.h"
#include "support/decoders.h"
#include "support/temporary_folder.h"

namespace megalith::tests {
namespace {

using example::ParallelBlock;
using example::ParallelConfig;

/// Settings of a kind whose name is taken, once ParallelConfig is registered.
struct SameName : ParallelConfig {
  bool operator==(const SameName&) const = default;
  SameName with_defaults(const StackConfig&) const { return *this; }
};

constexpr const char* kAlone = R"({"length": 32, "init_std": 0.3, "residual_init": 1, "scales": [
  {"stack": {"width": 16, "layers": 2, "dropout": 0.1, "recompute": true, "parallel": {"heads": 4, "hidden": 24}}}]})";
constexpr const char* kMixed = R"({"length": 32, "init_std": 0.3, "residual_init": 1, "scales": [
  {"patch": 4, "stack": {"width": 16, "layers": 2, "positions": "rotary",
                         "parallel": {"heads": 2, "norm": "layer", "activation": "swiglu"}}},
  {"patch": 1, "stack": {"width": 16, "layers": 1, "transformer": {"heads": 2}}}]})";

class BlockKindTest : public ::testing::Test {
 protected:
  BlockKindTest() { register_block<ParallelConfig>(); }

  static ModelConfig read(std::string_view json) { return config_from_json(json, "my.json"); }
  static std::string refusal(std::string_view json) {
    return error_of([&] { read(json).validate(); });
  }
  static std::unique_ptr<AnyModel> made(std::string_view json) {
    auto model = make_model(read(json));
    model->init({7});
    return model;
  }
};

TEST_F(BlockKindTest, IsOneOfTheKinds) {
  const auto kinds = block_kinds();
  EXPECT_EQ(kinds.front()->name(), "transformer");
  const auto is_parallel = [](const BlockKind* k) { return k->name() == "parallel"; };
  EXPECT_EQ(std::count_if(kinds.begin(), kinds.end(), is_parallel), 1);
  register_block<ParallelConfig>();  // again: nothing happens
  EXPECT_EQ(block_kinds().size(), kinds.size());
  EXPECT_ERROR(register_block<SameName>(), "there is a kind of block named \"parallel\" already");
  EXPECT_EQ(block_kinds().size(), kinds.size());
}

TEST_F(BlockKindTest, IsReadAndWrittenByItsName) {
  const ModelConfig alone = read(kAlone), mixed = read(kMixed);
  const auto& settings = alone.scales[0].stack.block.as<ParallelConfig>();
  EXPECT_EQ(settings.heads, 4);
  EXPECT_EQ(settings.hidden, 24);
  EXPECT_EQ(settings.norm, NormKind::rms);
  EXPECT_EQ(mixed.scales[0].stack.block,
            ParallelConfig({.heads = 2, .norm = NormKind::layer, .activation = Activation::swiglu}));
  EXPECT_EQ(mixed.scales[1].stack.block, TransformerConfig{.heads = 2});
  for (const ModelConfig& config : {alone, mixed}) {
    EXPECT_EQ(read(to_json(config)), config);
    EXPECT_NE(to_json(config).find("\"parallel\": {"), std::string::npos);
  }
  EXPECT_EQ(in_words(mixed),
            "2 parallel layers of width 16 over patches of 4 bytes, 1 layer of width 16 over bytes, windows of 32 bytes");
  EXPECT_ERROR(alone.scales[0].stack.block.as<TransformerConfig>(),
               "the blocks of the stack are of the kind \"parallel\", and \"transformer\" is asked for");
}

TEST_F(BlockKindTest, IsRefusedWithASentence) {
  const std::vector<std::pair<std::string_view, std::string>> cases = {
      {R"({"scales":[{"stack":{"paralel":{}}}]})", "scales[0].stack has no field \"paralel\"; did you mean \"parallel\"?"},
      {R"({"scales":[{"stack":{"parallel":{"haeds":2}}}]})",
       "scales[0].stack.parallel has no field \"haeds\"; did you mean \"heads\"?"},
      {R"({"scales":[{"stack":{"parallel":{"window":2}}}]})",
       "scales[0].stack.parallel has no field \"window\"; choose from heads, hidden, norm, activation"},
      {R"({"scales":[{"stack":{"parallel":{},"heads":2}}]})", "scales[0].stack has no field \"heads\""},
      {R"({"scales":[{"stack":{"parallel":{"norm":"lyer"}}}]})",
       "scales[0].stack.parallel.norm cannot be \"lyer\"; did you mean \"layer\"?"},
      {R"({"scales":[{"stack":{"parallel":7}}]})", "scales[0].stack.parallel must be an object, not 7"},
      {R"({"scales":[{"stack":{"parallel":{},"transformer":{}}}]})",
       "scales[0].stack has blocks of two kinds, \"transformer\" and \"parallel\""},
      {R"({"scales":[{"stack":{"width":16,"parallel":{"heads":3}}}]})",
       "scales[0].stack.parallel.heads = 3 does not divide scales[0].stack.width = 16"},
  };
  for (const auto& [json, words] : cases)
    EXPECT_NE(refusal(json).find(words), std::string::npos)
        << json << "\n expected: " << words << "\n got: " << refusal(json);
}

TEST_F(BlockKindTest, IsSummedUpAsItself) {
  for (const char* json : {kAlone, kMixed}) {
    const ModelConfig config = read(json);
    const auto summary = make_summary(config);
    const auto model = make_model(config);
    double parameters = 0;
    for (const Parameter& p : model->parameters()) parameters += static_cast<double>(p.tensor->size());
    EXPECT_EQ(summary->parameter_count(), parameters);
  }
  // Two layers of width 16 over 32 bytes, by hand: per row 2 * (C * 3C + C * C + 2 * C * F), and the pairs of attention.
  const auto summary = make_summary(read(kAlone));
  const double C = 16, F = 24, T = 32;
  const std::vector<FlopsPart> parts = summary->flops_by_part({1, 32});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].flops, 2 * T * 2 * (4 * C * C + 2 * C * F));
  EXPECT_EQ(parts[1].flops, 2 * 4 * C * (T * (T + 1) / 2));
  // With recompute a block keeps of a row: its normed input, what attention gave, a log-sum per head, and the norm's factor;
  // the stack keeps the input of each block but the first and of the norm, and the norm its factor.
  const double block = 2 * C + 4 + 1, stack = 2 * C + 1;
  EXPECT_EQ(summary->tape_bytes({3, 32}), 4 * 3 * T * (2 * block + stack));
  // Keys and values.
  EXPECT_EQ(summary->state_bytes(3, 20), 4.0 * 2 * 3 * 20 * 2 * C);
}

TEST_F(BlockKindTest, KeepsEveryPromiseOfADecoder) {
  const ModelConfig config = read(kAlone);
  const auto make = [&]<class S>() { return Flat<ParallelBlock<S>>(config, 0); };
#if !MEGALITH_SANITIZED  // kNotUnderSanitizers
  expect_below(testing::check_decoder_gradients(make, {.shape = {2, 16}}, true), kExact);
#endif
  expect_below(testing::check_decoder_chunks<Exact>(make, {.shape = {3, 24}}, 8), kExact);
  expect_below(testing::check_decoder_steps<Exact>(make, {.shape = {2, 16}}), kExact);
}

TEST_F(BlockKindTest, TrainsStopsAndResumesToTheSameBits) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 400; ++i) text += std::to_string(i * i) + "\n";
  const DataConfig data{.train = {folder.write("squares.txt", text)}, .valid_share = 0.1};
  TrainConfig config{.budget = {.steps = 30}, .batch = 4, .average = 0.5};
  config.schedule.peak = 0.03;
  config.schedule.warmup_steps = 2;
  for (const char* json : {kAlone, kMixed}) {
    const std::string whole = folder / "whole", stopped = folder / "stopped";
    for (const std::string& dir : {whole, stopped}) std::filesystem::remove_all(dir);
    const auto model = made(json);
    const TrainResult result = Trainer(*model, config, data, whole, {.threads = 1}).run();
    EXPECT_LT(result.progress.valid->bits_per_byte, 8);
    const auto again = made(json);
    Trainer(*again, config, data, stopped, {.threads = 2}).run([](const Progress& p) {
      return p.step < 5 ? Control::go_on : Control::stop;
    });
    const auto other = made(json);
    Trainer trainer(*other, config, data, stopped, {.threads = 1});
    trainer.resume();
    EXPECT_EQ(trainer.run().progress.step, 30);
    EXPECT_EQ(read_file(stopped + "/model.safetensors"), read_file(whole + "/model.safetensors"));
  }
}

TEST_F(BlockKindTest, IsSavedLoadedAndGeneratedFrom) {
  const TemporaryFolder folder;
  for (const char* json : {kAlone, kMixed}) {
    const auto model = made(json);
    save_model(folder / "model.safetensors", *model);
    const auto loaded = load_model(folder / "model.safetensors");
    EXPECT_EQ(loaded->config(), model->config());
    Generator from_model(*model, {}, 1), from_file(*loaded, {}, 1);
    from_model.prompt("a prompt");
    from_file.prompt("a prompt");
    for (int i = 0; i < 50; ++i) ASSERT_EQ(from_model.next(), from_file.next()) << i;
  }
}

TEST_F(BlockKindTest, WeightsOfOneKindAreNotThoseOfAnother) {
  const TemporaryFolder folder;
  const auto parallel = made(kAlone);
  ModelConfig config = parallel->config();
  config.scales[0].stack.block = TransformerConfig{.heads = 4, .hidden = 24};
  const auto transformer = make_model(config);
  save_model(folder / "parallel.safetensors", *parallel);
  save_model(folder / "transformer.safetensors", *transformer);
  EXPECT_FALSE(same_structure(parallel->config(), config));
  EXPECT_ERROR(load_parameters(folder / "transformer.safetensors", *parallel),
               "the first difference is the kind of the blocks of scales[0].stack (transformer and parallel)");
  EXPECT_ERROR(load_parameters(folder / "parallel.safetensors", *transformer),
               "the first difference is the kind of the blocks of scales[0].stack (parallel and transformer)");
}

/// A program that knows its kind when it is compiled may use its type instead: DecoderModel takes it as it is.
TEST_F(BlockKindTest, ADecoderOfOneKindRefusesAnother) {
  const DecoderModel<Flat<ParallelBlock<float>>> model(read(kAlone));
  EXPECT_EQ(model.summary().parameter_count(), make_summary(read(kAlone))->parameter_count());
  EXPECT_EQ(model.structure(), "") << "its config makes the same";
  EXPECT_NE((detail::IsOfConfig<Flat<ParallelBlock<float>>>::at(config_named("vanilla"), 0)), true);
  EXPECT_ERROR(DecoderModel<Flat<ParallelBlock<float>>>{config_named("vanilla")},
               "the blocks of the stack are of the kind \"transformer\", and \"parallel\" is asked for");
}

}  // namespace
}  // namespace megalith::tests

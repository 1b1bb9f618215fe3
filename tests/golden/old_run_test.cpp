// SPDX-License-Identifier: Apache-2.0
// A stopped run that version 0.1.0 made (README.md) loads, evaluates, generates and goes on.
#include <gtest/gtest.h>

#include <filesystem>

#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/models/config_json.h"
#include "megalith/train/evaluate.h"
#include "megalith/train/run_config.h"
#include "megalith/train/trainer.h"
#include "megalith/train/training_data.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

const std::string kRun = std::string(MEGALITH_TEST_DATA) + "/run_0_1_0";

TEST(OldRun, ItsConfigIsRead) {
  const RunConfig config = load_run_config(kRun);
  ASSERT_EQ(config.model.scales.size(), 2u);
  EXPECT_EQ(config.model.scales[0].patch, 4);
  EXPECT_EQ(config.model.scales[0].embedding, 5);
  EXPECT_EQ(
      config.model.scales[0].stack,
      (StackConfig{.width = 24,
                   .layers = 2,
                   .positions = PositionKind::rotary,
                   .bias = false,
                   .block = TransformerConfig{
                       .heads = 3, .window = 6, .norm = NormKind::rms, .activation = Activation::swiglu, .qk_norm = true}}));
  EXPECT_EQ(config.model.scales[1].first_input, FirstInput::previous);
  EXPECT_EQ(config.model.scales[1].stack.block, (TransformerConfig{.heads = 2, .activation = Activation::gelu}));
  EXPECT_EQ(config.train.budget.steps, 400);
  EXPECT_EQ(config.train.schedule.warmup_share, 1) << "as it was before there was one";
  EXPECT_FALSE(config.data.spread || config.data.skip_runs);
  EXPECT_EQ(load_model(kRun)->config(), config.model);
  EXPECT_EQ(config_from_json(to_json(config.model), "its config, written anew"), config.model);
}

TEST(OldRun, ItsModelPredictsAsItDid) {
  const auto model = load_model(kRun);
  const Corpus data({kRun + "/numbers.txt"});
  Workspace workspace(2);
  EXPECT_NEAR(evaluate(*model, workspace, data.all()).bits_per_byte(), 4.365196, 1e-4);
}

TEST(OldRun, ItsModelGenerates) {
  const auto model = load_model(kRun);
  Generator generator(*model, {.temperature = 0}, 1);
  generator.prompt("12 ");
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(generator.next());
  EXPECT_NE(text.find(' '), std::string::npos) << text;  // it has seen decimal numbers with spaces between them
}

TEST(OldRun, GoesOnToWhereItWouldHaveEnded) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  std::filesystem::copy(kRun, run);
  const RunConfig config = load_run_config(run);
  DataConfig data = config.data;
  data.train = {run + "/numbers.txt"};
  const auto model = make_model(config.model);
  Trainer trainer(*model, config.train, data, run, {.threads = 1});
  trainer.resume();
  EXPECT_EQ(trainer.progress().step, 100);
  const TrainResult result = trainer.run();
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.progress.step, 400);
  // Rounding differs from one processor to another.
  EXPECT_NEAR(result.progress.valid->bits_per_byte, 2.173326, 2e-3);
  // Its files are of today's version then, and read like others.
  Workspace workspace(1);
  const TrainingData opened(data);
  EXPECT_NEAR(evaluate(*load_model(run), workspace, opened.valid()).bits_per_byte(), result.progress.valid->bits_per_byte,
              1e-6);
}

}  // namespace
}  // namespace megalith

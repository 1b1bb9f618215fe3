// SPDX-License-Identifier: Apache-2.0
// The trainer's promises with real models.
#include "megalith/io/checkpoint.h"
#include "support/small_models.h"
#include "support/version_1.h"
#include "train/run_helpers.h"
#include "train/state_file.h"

namespace megalith {
namespace {

using namespace tests;

class TrainerModel : public ::testing::TestWithParam<SmallModel> {
 protected:
  TrainResult whole_run(const TrainConfig& config, const std::string& dir, int threads = 2) {
    const auto model = make_small(GetParam());
    return Trainer(*model, config, data_, dir, {.threads = threads}).run();
  }

  TemporaryFolder folder_;
  DataConfig data_ = write_data(folder_);
};

INSTANTIATE_TEST_SUITE_P(Models, TrainerModel, ::testing::ValuesIn(small_models()),
                         [](const auto& info) { return info.param.name; });

TEST_P(TrainerModel, ResumesToTheSameBitsOnOtherThreads) {
  const TrainConfig config = short_run(9);
  whole_run(config, folder_ / "whole", 1);
  int threads = 1;
  for (const std::int64_t stop : {2, 5, 9, 100}) {
    const auto model = make_small(GetParam(), 77 + static_cast<std::uint64_t>(threads > 1));
    if (threads == 1) model->init(RandomKey{5});
    Trainer trainer(*model, config, data_, folder_ / "stopped", {.threads = threads++});
    if (stop > 2) trainer.resume();
    trainer.run(stop_at(stop));
  }
  expect_same_run(folder_ / "whole", folder_ / "stopped");
}

TEST_P(TrainerModel, ResumesARunOfVersionOne) {
  if (GetParam().config.scales[0].stack.block.get_if<TransformerConfig>() == nullptr)
    GTEST_SKIP() << "version 1 had no such block";
  const TrainConfig config = short_run(9);
  whole_run(config, folder_ / "whole");
  const auto model = make_small(GetParam());
  Trainer(*model, config, data_, folder_ / "old", {.threads = 2}).run(stop_at(5));

  const std::string path = folder_ / "old/state.safetensors";
  StateFile state(path);
  nlohmann::ordered_json settings = nlohmann::ordered_json::parse(state.metadata.at("settings"));
  settings["model"] = version_1(settings["model"]);
  state.metadata["settings"] = settings.dump();
  state.metadata["format_version"] = "1";
  state.write(path);
  Trainer trainer(*model, config, data_, folder_ / "old", {.threads = 2});
  trainer.resume();
  trainer.run();
  expect_same_run(folder_ / "whole", folder_ / "old");

  settings["model"]["scales"][0]["stack"]["heads"] = 8;
  state.metadata["settings"] = settings.dump();
  state.write(path);
  EXPECT_ERROR(Trainer(*model, config, data_, folder_ / "old", {.threads = 2}).resume(),
               "model.scales.0.stack.transformer.heads was 8 and is now ");
}

TEST_P(TrainerModel, AccumulatedMicroBatchesEqualOneBatch) {
  TrainConfig eight = short_run(3), parts = short_run(3);
  eight.batch = 8;
  parts.batch = 4;
  parts.accumulate = 2;
  whole_run(eight, folder_ / "eight");
  whole_run(parts, folder_ / "parts");
  const auto a = metrics_of(folder_ / "eight"), b = metrics_of(folder_ / "parts");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (const char* key : {"train_bpb", "grad_norm"})
      EXPECT_NEAR(a[i][key], b[i][key], 1e-4 * a[i][key].get<double>()) << key;
}

TEST_P(TrainerModel, LearnsAndTheSavedModelScoresAsItWasValidated) {
  TrainConfig config = short_run(60);
  config.schedule.peak = 0.02;
  config.save_every_minutes = 0;
  const TrainResult result = whole_run(config, folder_ / "run");
  const auto lines = metrics_of(folder_ / "run");
  EXPECT_LT(lines.back()["train_bpb"], 0.6 * lines.front()["train_bpb"].get<double>());

  const auto saved = load_model(folder_ / "run");
  const Corpus valid(data_.valid);
  Workspace workspace(1);
  EXPECT_EQ(evaluate(*saved, workspace, valid.all()).bits_per_byte(), result.progress.valid->bits_per_byte);
}

/// Of the windows of 32 bytes, all but those of the perceiver; so the mean loss is that of bytes that have one.
TEST_P(TrainerModel, CountsTheBytesThatItPredicts) {
  TrainConfig config = short_run(2);
  const std::int64_t of_window = GetParam().name == "perceiver" ? 8 : 32;
  EXPECT_EQ(whole_run(config, folder_ / "steps").progress.bytes, 2 * config.batch * of_window);
  config.budget = {.bytes = 2 * config.batch * of_window + 1};
  const Progress end = whole_run(config, folder_ / "bytes").progress;
  EXPECT_EQ(end.steps, 3);

  // With a rate of next to nothing, train_bpb is the loss of the untrained model: like 8 bits, and more for wild weights.
  config.budget = {.steps = 1};
  config.schedule = {.kind = ScheduleKind::linear, .peak = 1e-30, .warmup_steps = 0};
  config.log_every = 1;
  const Progress first = whole_run(config, folder_ / "first").progress;
  EXPECT_GT(first.train_bpb, 6);
}

TEST_P(TrainerModel, StartsFromGivenWeights) {
  whole_run(short_run(5), folder_ / "first");
  TrainConfig config = short_run(1);
  config.average = 0;
  config.schedule = {.kind = ScheduleKind::linear, .peak = 1e-30, .warmup_steps = 0};
  config.init = folder_ / "first";
  whole_run(config, folder_ / "second");
  EXPECT_EQ(tensors_of(folder_ / "second/model.safetensors"), tensors_of(folder_ / "first/model.safetensors"));
}

}  // namespace
}  // namespace megalith

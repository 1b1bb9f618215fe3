// SPDX-License-Identifier: Apache-2.0
// Runs that end early, or without a validation, and what resuming makes of them.
#include <cmath>
#include <optional>
#include <stdexcept>

#include "megalith/train/run_config.h"
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

TEST(TrainerEnds, RunsWithoutValidation) {
  const TemporaryFolder folder;
  DataConfig data = write_data(folder);
  data.valid.clear();
  FakeModel model(16, 4);
  const TrainResult result = Trainer(model, short_run(5), data, folder / "run", {.threads = 1}).run();
  EXPECT_FALSE(result.progress.valid);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/best.safetensors"));
  EXPECT_FALSE(metrics_of(folder / "run").back().contains("valid_bpb"));
}

TEST(TrainerEnds, ABudgetInMinutesEndsAndResumesWithTheTimeLeft) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(0);
  config.budget = {.steps = 0, .bytes = 0, .minutes = 0.3 / 60};
  config.eval_every = 0;
  config.save_every_minutes = 0;
  FakeModel model(16, 4);
  const TrainResult stopped = Trainer(model, config, data, folder / "run", {.threads = 1}).run(stop_at(2));
  ASSERT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.progress.steps, 0);
  Trainer trainer(model, config, data, folder / "run", {.threads = 1});
  trainer.resume();
  const TrainResult result = trainer.run();
  EXPECT_FALSE(result.stopped);
  EXPECT_GE(result.progress.seconds, 0.3);
  EXPECT_GT(result.progress.seconds, stopped.progress.seconds);
  EXPECT_GT(result.progress.step, 2);
  EXPECT_EQ(result.progress.seconds_left, 0);
}

TEST(TrainerEnds, StoppingInTheLastValidation) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  for (const char* dir : {"whole", "stopped"}) {
    FakeModel model(16, 4);
    model.init({1});
    Trainer trainer(model, short_run(5), data, folder / dir, {.threads = 1});
    if (std::string(dir) == "whole") {
      trainer.run();
      continue;
    }
    const auto stop = [](const Progress& p) {
      return p.phase == Phase::validating && p.step == 5 ? Control::stop : Control::go_on;
    };
    EXPECT_TRUE(trainer.run(stop).stopped);
    // A process that is killed just before the last checkpoint leaves the last line too.
    const std::string metrics = read_file(folder / "whole/metrics.jsonl");
    std::ofstream(folder / "stopped/metrics.jsonl", std::ios::app)
        << metrics.substr(metrics.rfind('\n', metrics.size() - 2) + 1);
    FakeModel again(16, 4);
    Trainer resumed(again, short_run(5), data, folder / dir, {.threads = 1});
    resumed.resume();
    EXPECT_FALSE(resumed.run().stopped);
  }
  expect_same_run(folder / "whole", folder / "stopped");
}

TEST(TrainerEnds, StoppingInAnyValidation) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(14);  // validates after 4, 8 and 12
  config.eval_bytes = 400;
  const auto run = [&](const std::string& dir, const Report& report) {
    FakeModel model(16, 4);
    model.init({1});
    Trainer trainer(model, config, data, dir, {.threads = 1});
    if (std::filesystem::exists(dir)) trainer.resume();
    return trainer.run(report);
  };
  EXPECT_FALSE(run(folder / "whole", {}).stopped);
  for (const std::int64_t step : {4, 8, 12}) {
    const auto stop = [step](const Progress& p) {
      return p.phase == Phase::validating && p.step == step ? Control::stop : Control::go_on;
    };
    const TrainResult result = run(folder / "stopped", stop);
    EXPECT_TRUE(result.stopped);
    EXPECT_EQ(result.progress.step, step);
    EXPECT_LT(result.progress.valid ? result.progress.valid->step : -1, step) << "it was made to its end";
    // Stopped again in the same one, which the resumed run begins with.
    EXPECT_EQ(run(folder / "stopped", stop).progress.step, step);
  }
  EXPECT_FALSE(run(folder / "stopped", {}).stopped);
  expect_same_run(folder / "whole", folder / "stopped");
}

TrainResult run_on(const std::string& dir, const TrainConfig& config, const DataConfig& data, std::optional<Resume> how,
                   const Report& report = {}) {
  FakeModel model(16, 4);
  model.init({1});
  Trainer trainer(model, config, data, dir, {.threads = 1});
  if (how) trainer.resume(*how);
  return trainer.run(report);
}

TEST(TrainerEnds, ARunThatIsDoneIsTrainedLonger) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const std::string dir = folder / "run";
  run_on(dir, short_run(6), data, {});
  EXPECT_ERROR(run_on(dir, short_run(9), data, Resume::same_budget), "train.budget.steps was 6 and is now 9");
  EXPECT_ERROR(run_on(dir, short_run(5), data, Resume::longer), "train.budget.steps was 6 and is now 5");
  TrainConfig other = short_run(0);
  other.budget.bytes = 1 << 20;
  EXPECT_ERROR(run_on(dir, other, data, Resume::longer), "train.budget.bytes was 0");
  EXPECT_EQ(run_on(dir, short_run(9), data, Resume::longer).progress.step, 9);
  EXPECT_EQ(metrics_of(dir).back()["step"], 9);
  EXPECT_EQ(load_run_config(dir).train.budget.steps, 9);
  // From a stop on the way it needs no leave any more; as if killed before its first checkpoint, too.
  const std::string state = read_file(dir + "/state.safetensors");
  EXPECT_TRUE(run_on(dir, short_run(20), data, Resume::longer, stop_at(11)).stopped);
  EXPECT_EQ(run_on(dir, short_run(20), data, Resume::same_budget, stop_at(12)).progress.step, 12);
  std::ofstream(dir + "/state.safetensors", std::ios::binary) << state;
  EXPECT_EQ(run_on(dir, short_run(20), data, Resume::same_budget).progress.step, 20);
}

TEST(TrainerEnds, WhatACallbackThrowsComesThroughAndTheRunIsSaved) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(9);
  config.save_every_minutes = 0;
  run_on(folder / "whole", config, data, {});
  const auto throws = [](Phase phase, std::int64_t step) {
    return [=](const Progress& p) -> Control {
      if (p.phase == phase && p.step >= step) throw std::out_of_range("mine");
      return Control::go_on;
    };
  };
  EXPECT_THROW(run_on(folder / "run", config, data, {}, throws(Phase::training, 3)), std::out_of_range);
  EXPECT_EQ(SafetensorsReader(folder / "run/model.safetensors").metadata().at("step"), "3");
  EXPECT_THROW(run_on(folder / "run", config, data, Resume::same_budget, throws(Phase::validating, 8)), std::out_of_range);
  EXPECT_EQ(SafetensorsReader(folder / "run/model.safetensors").metadata().at("step"), "8");
  run_on(folder / "run", config, data, Resume::same_budget);
  expect_same_run(folder / "whole", folder / "run");
}

TEST(TrainerEnds, TheLastValidationIsBounded) {
  const TemporaryFolder folder;
  DataConfig data = write_data(folder);
  data.valid = {folder.write("large.txt", some_text(1'200'000, 3))};
  EXPECT_EQ(run_on(folder / "run", short_run(2), data, {}).progress.valid->bytes, 1 << 20);
  TrainConfig all = short_run(2);
  all.eval_bytes = 0;
  all.eval_every = 0;
  EXPECT_EQ(run_on(folder / "all", all, data, {}).progress.valid->bytes, 1'200'000);
}

TEST(TrainerEnds, AFolderThatIsDataIsNoFolderForARun) {
  const TemporaryFolder folder;
  const DataConfig here = write_data(folder);
  const DataConfig data{.train = {folder.path()}};
  folder.write("sub/more.txt", "data");
  EXPECT_ERROR(run_on(folder.path(), short_run(2), data, {}), "is in the data");
  EXPECT_ERROR(run_on(folder / "sub", short_run(2), data, {}), "is in the data");
  EXPECT_TRUE(run_on(folder / "new/run", short_run(6), data, {}, stop_at(2)).stopped);
  EXPECT_EQ(run_on(folder / "new/run", short_run(6), data, Resume::same_budget).progress.step, 6);
}

TEST(TrainerEnds, AStateOfAnotherStructureIsNotResumed) {
  struct Other : FakeModel {
    Other() : FakeModel(16, 4) {}
  };
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  run_on(folder / "run", short_run(6), data, {}, stop_at(2));
  Other model;
  EXPECT_ERROR(Trainer(model, short_run(6), data, folder / "run", {.threads = 1}).resume(), "of the structure");
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

constexpr std::int64_t kBudget = 4000;

/// A run whose validation gets worse soon: it learns 200 bytes by heart.
struct Patience : ::testing::Test {
  Patience() {
    data.train = {folder.write("train.txt", some_text(200, 1))};
    data.valid = {folder.write("valid.txt", some_text(500, 2))};
    config.average = 0;
    config.schedule.peak = 0.2;
    config.eval_every = 5;
    config.patience = 3;
    config.save_every_minutes = 0;
  }
  FakeModel fresh_model() const {
    FakeModel model(16, 4);
    model.init({9});
    return model;
  }
  TrainResult whole_run(const std::string& dir) {
    FakeModel model = fresh_model();
    return Trainer(model, config, data, folder / dir, {.threads = 1}).run();
  }
  /// The steps of all validations of a run and, from 1 on, how many in a row brought no new best, by its own lines.
  std::vector<std::pair<std::int64_t, int>> waits(const std::string& dir) const {
    std::vector<std::pair<std::int64_t, int>> all;
    double best = 1e9;
    int in_a_row = 0;
    for (const nlohmann::json& line : metrics_of(folder / dir)) {
      if (!line.contains("valid_bpb")) continue;
      const double value = line["valid_bpb"];
      in_a_row = value < best ? 0 : in_a_row + 1;
      best = std::min(best, value);
      all.emplace_back(line["step"], in_a_row);
    }
    return all;
  }

  const TemporaryFolder folder;
  DataConfig data;
  TrainConfig config = short_run(kBudget);
};

TEST_F(Patience, EndsAfterThatManyValidationsWithoutANewBest) {
  for (const std::int64_t eval_bytes : {std::int64_t{0}, std::int64_t{500}}) {  // both: everything, so lines tell all
    config.eval_bytes = eval_bytes;
    const std::string dir = "run" + std::to_string(eval_bytes);
    const TrainResult result = whole_run(dir);
    EXPECT_TRUE(result.out_of_patience);
    EXPECT_FALSE(result.stopped);
    EXPECT_LT(result.progress.step, kBudget);
    const auto all = waits(dir);
    EXPECT_EQ(all.back(), std::pair(result.progress.step, 3));
    for (std::size_t i = 0; i + 1 < all.size(); ++i) EXPECT_LT(all[i].second, 3) << "should have ended at " << all[i].first;
    EXPECT_EQ(result.progress.best->step, result.progress.step - 3 * config.eval_every);
    EXPECT_EQ(metrics_of(folder / dir).back()["valid_bytes"], 500);
  }
}

TEST_F(Patience, AnImprovementAtTheLastMomentCounts) {
  config.schedule.peak = 0.5;  // values that jump
  config.eval_every = 1;
  config.eval_bytes = 0;
  config.patience = 2;
  int rescued = 0;
  for (config.seed = 1; config.seed <= 12; ++config.seed) {
    const std::string dir = "run" + std::to_string(config.seed);
    whole_run(dir);
    const auto all = waits(dir);
    EXPECT_EQ(all.back().second, 2);
    for (std::size_t i = 1; i < all.size(); ++i) rescued += all[i - 1].second == 1 && all[i].second == 0;
  }
  EXPECT_GT(rescued, 0) << "this showed nothing";
}

TEST_F(Patience, TheLastValueIsOverEverything) {
  config.eval_bytes = 100;
  const TrainResult result = whole_run("run");
  EXPECT_TRUE(result.out_of_patience);
  EXPECT_EQ(result.progress.valid->bytes, 500);
  EXPECT_EQ(result.progress.best->bytes, 96);
  const auto lines = metrics_of(folder / "run");
  EXPECT_EQ(lines.back()["valid_bytes"], 500);
  EXPECT_NE(lines[lines.size() - 2]["step"], lines.back()["step"]);  // one line for a step
}

TEST_F(Patience, EndsAtTheSameStepAndBitsWhenResumed) {
  config.eval_bytes = 100;
  const std::int64_t end = whole_run("whole").progress.step;
  for (const std::int64_t before : {0, 1, 4, 5, 6, 10, 15}) {  // 0: before the last validation over everything
    const std::string dir = "stopped" + std::to_string(before);
    FakeModel first = fresh_model(), second = fresh_model();
    Trainer(first, config, data, folder / dir, {.threads = 1}).run(stop_at(end - before));
    Trainer trainer(second, config, data, folder / dir, {.threads = 1});
    trainer.resume();
    const TrainResult result = trainer.run();
    EXPECT_TRUE(result.out_of_patience);
    EXPECT_EQ(result.progress.step, end);
    expect_same_run(folder / "whole", folder / dir);
  }
}

TEST_F(Patience, OfARunThatEndedByItselfWasNotUsedUp) {
  config.budget.steps = 10;
  EXPECT_FALSE(whole_run("run").out_of_patience);
}

TEST_F(Patience, NeedsValidationsAtKeptIntervals) {
  FakeModel model = fresh_model();
  Trainer(model, config, data, folder / "run", {.threads = 1}).run(stop_at(3));
  TrainConfig other = config;
  other.eval_every = 6;
  EXPECT_ERROR(Trainer(model, other, data, folder / "run", {.threads = 1}).resume(), "train.eval_every was 5 and is now 6");
  other = config;
  other.eval_bytes = 60;
  EXPECT_ERROR(Trainer(model, other, data, folder / "run", {.threads = 1}).resume(),
               "train.eval_bytes was 100 and is now 60");
  other.eval_every = 0;
  EXPECT_ERROR(Trainer(model, other, data, folder / "run", {.threads = 1}), "eval_every is 0");
  data.valid.clear();
  EXPECT_ERROR(Trainer(model, config, data, folder / "run", {.threads = 1}), "no validation to wait for");
}

}  // namespace
}  // namespace megalith

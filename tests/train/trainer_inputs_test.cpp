// SPDX-License-Identifier: Apache-2.0
// What a trainer is given besides settings: data by weights.
#include "megalith/train/weighted_windows.h"
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

FakeModel fresh() {
  FakeModel model(16, 4, 0.2);
  model.init({9});
  return model;
}

TrainResult run_on(const std::string& dir, const DataConfig& data, const TrainerOptions& options = {.threads = 1},
                   const TrainConfig& config = short_run(9)) {
  FakeModel model = fresh();
  return Trainer(model, config, data, dir, options).run();
}

/// The same run, stopped and resumed on another number of threads.
void interrupted(const std::string& dir, const DataConfig& data, TrainerOptions options = {.threads = 1}) {
  for (const std::int64_t stop : {2, 5, 100}) {
    FakeModel model = fresh();
    Trainer trainer(model, short_run(9), data, dir, options);
    if (stop > 2) trainer.resume();
    trainer.run(stop_at(stop));
    ++options.threads;
  }
}

TEST(TrainerInputs, PathsByWeights) {
  const TemporaryFolder folder;
  DataConfig data{.train = {folder.write("a/x", some_text(300, 1)), folder.write("b", some_text(5000, 2))},
                  .weights = {3, 1},
                  .valid = {folder.write("valid", some_text(500, 3))}};
  run_on(folder / "whole", data);
  interrupted(folder / "stopped", data);
  expect_same_run(folder / "whole", folder / "stopped");

  // They are those windows, and without weights those that start anywhere, as ever.
  const Corpus a({data.train[0]}), b({data.train[1]}), both(data.train), valid(data.valid);
  const TrainConfig config = short_run(9);
  const auto by_hand = [&](const std::string& dir, std::unique_ptr<const BatchSampler> sampler) {
    FakeModel model = fresh();
    Trainer(model, config, std::move(sampler), valid.all(), dir, {.threads = 1}).run();
  };
  by_hand(folder / "weighted",
          std::make_unique<WeightedWindows>(std::vector<WeightedSource>{{a.all(), 3}, {b.all(), 1}}, 16, config.data_key()));
  EXPECT_EQ(metrics_of(folder / "weighted"), metrics_of(folder / "whole"));
  const auto refused = [&](const std::vector<double>& weights, const std::string& sentence) {
    DataConfig others = data;
    others.weights = weights;
    FakeModel model = fresh();
    EXPECT_ERROR(Trainer(model, config, others, folder / "whole", {.threads = 1}).resume(), sentence);
  };
  refused({3, 1.0000001}, "data.train was \"weights 3:1 of ");
  refused({}, "data.train was ");
  data.weights = {};
  run_on(folder / "plain", data);
  by_hand(folder / "random", std::make_unique<RandomWindows>(both.all(), 16, config.data_key()));
  EXPECT_EQ(metrics_of(folder / "random"), metrics_of(folder / "plain"));
  EXPECT_NE(metrics_of(folder / "plain"), metrics_of(folder / "whole"));
}

TEST(TrainerInputs, APathByWeightsThatIsTooShort) {
  const TemporaryFolder folder;
  const DataConfig data{.train = {folder.write("a", some_text(300)), folder.write("b", "too short")}, .weights = {1, 2}};
  EXPECT_ERROR(run_on(folder / "run", data), folder / "b have 9 bytes, fewer than one window of 16");
}

}  // namespace
}  // namespace megalith

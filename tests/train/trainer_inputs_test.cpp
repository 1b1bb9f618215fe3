// SPDX-License-Identifier: Apache-2.0
// What a trainer is given besides settings: data by weights, a schedule and a validation of a program's own.
#include <cmath>
#include <stdexcept>

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

TEST(TrainerInputs, AScheduleOfOnesOwn) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainerOptions options{.threads = 1};
  options.schedule = [](std::int64_t step, double progress) { return step == 4 ? progress : 0.5; };
  run_on(folder / "whole", data, options);
  interrupted(folder / "stopped", data, options);
  expect_same_run(folder / "whole", folder / "stopped");
  TrainConfig every = short_run(9);
  every.log_every = 1;
  run_on(folder / "lines", data, options, every);
  const auto lines = metrics_of(folder / "lines");
  EXPECT_EQ(lines[3]["lr"], 0.05 * 0.5);
  EXPECT_EQ(lines[4]["lr"], 0.05 * (4.0 / 9));

  FakeModel model = fresh();
  EXPECT_ERROR(Trainer(model, short_run(9), data, folder / "whole", {.threads = 1}).resume(),
               "train.schedule.function was true and is now missing");
  options.schedule = [](std::int64_t step, double) { return step == 3 ? NAN : 1; };
  EXPECT_ERROR(run_on(folder / "nan", data, options), "schedule gives nan in step 3");
  EXPECT_EQ(SafetensorsReader(folder / "nan/model.safetensors").metadata().at("step"), "3") << "it was saved";
}

TEST(TrainerInputs, AValidationOfOnesOwn) {
  const TemporaryFolder folder;
  DataConfig data = write_data(folder);
  std::vector<double> values{5, 3, 4, 2};
  int asked = 0;
  TrainerOptions options{.threads = 1};
  options.validation = [&](const AnyModel& model, Workspace&) {
    EXPECT_EQ(model.summary().unit(), 4);
    return Evaluation{.bits = 10 * values.at(static_cast<std::size_t>(asked++)), .bytes = 10};
  };
  EXPECT_ERROR(run_on(folder / "run", data, options), "validation has data and a function");
  data.valid = {};
  TrainConfig config = short_run(10);
  config.eval_every = 3;
  const TrainResult result = run_on(folder / "run", data, options, config);  // after steps 3, 6, 9 and at the end
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(result.progress.valid->bits_per_byte, 2);
  EXPECT_EQ(result.progress.best->step, 10);
  const auto lines = metrics_of(folder / "run");
  EXPECT_EQ(lines[0]["valid_bpb"], 5);
  EXPECT_EQ(lines[1]["valid_bpb"], 3);

  config.patience = 1;
  asked = 0;
  values = {3, 3.5, 3.5};
  EXPECT_TRUE(run_on(folder / "patient", data, options, config).out_of_patience);
  EXPECT_EQ(SafetensorsReader(folder / "patient/best.safetensors").metadata().at("step"), "3");

  FakeModel model = fresh();
  EXPECT_ERROR(Trainer(model, short_run(10), data, folder / "run", {.threads = 1}).resume(), "data.valid was ");
  options.validation = [](const AnyModel&, Workspace&) { return Evaluation{}; };
  EXPECT_ERROR(run_on(folder / "none", data, options, config), "validation gives 0 bytes");
  options.validation = [](const AnyModel&, Workspace&) -> Evaluation { throw std::runtime_error("no room"); };
  EXPECT_THROW(run_on(folder / "throws", data, options, config), std::runtime_error);
  EXPECT_EQ(SafetensorsReader(folder / "throws/model.safetensors").metadata().at("step"), "3") << "it was saved";
  options.validation = [](const AnyModel&, Workspace&) { return Evaluation{.stopped = true}; };
  const TrainResult stopped = run_on(folder / "stopped", data, options, short_run(9));
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.progress.step, 4);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/trainer.h"

#include "megalith/io/checkpoint.h"
#include "megalith/train/run_config.h"
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

FakeModel fresh_model(double dropout = 0.2) {
  FakeModel model(16, 4, dropout);
  model.init({9});
  return model;
}

/// Trains a fresh model from the start to the end.
TrainResult whole_run(const TrainConfig& config, const DataConfig& data, const std::string& dir, int threads = 1) {
  FakeModel model = fresh_model();
  return Trainer(model, config, data, dir, {.threads = threads}).run();
}

/// The same, stopped at each of these steps and resumed, each time as by another process.
void interrupted_run(const TrainConfig& config, const DataConfig& data, const std::string& dir,
                     const std::vector<std::int64_t>& stops) {
  for (std::size_t i = 0; i <= stops.size(); ++i) {
    FakeModel model = fresh_model();
    if (i > 0) model.init({1000 + i});  // what the model holds before a resume must not matter
    Trainer trainer(model, config, data, dir, {.threads = 1});
    if (i > 0) trainer.resume();
    const TrainResult result = i < stops.size() ? trainer.run(stop_at(stops[i])) : trainer.run();
    EXPECT_EQ(result.stopped, i < stops.size());
    EXPECT_EQ(result.progress.step, i < stops.size() ? stops[i] : result.progress.steps);
  }
}

TEST(Trainer, LearnsAndKeepsItsFiles) {
  const TemporaryFolder folder;
  TrainConfig config = short_run(120);
  config.average = 0;
  config.save_every_minutes = 0;
  const TrainResult result = whole_run(config, write_data(folder), folder / "run");
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.progress.step, 120);
  EXPECT_EQ(result.progress.bytes, 120 * 4 * 16);
  EXPECT_EQ(result.progress.fraction, 1);

  const std::vector<nlohmann::json> lines = metrics_of(folder / "run");
  EXPECT_GT(lines.front()["train_bpb"], 6.0);
  EXPECT_LT(lines.back()["train_bpb"], 3.5);
  std::vector<int> steps, validations;
  for (const nlohmann::json& line : lines) {
    steps.push_back(line["step"]);
    EXPECT_EQ(line["bytes"], line["step"].get<int>() * 64);
    if (line.contains("valid_bpb")) validations.push_back(line["step"]);
    EXPECT_EQ(line.contains("valid_bpb"), line.contains("valid_bytes"));
  }
  EXPECT_TRUE(std::equal(steps.begin(), steps.begin() + 6, std::vector{3, 4, 6, 8, 9, 12}.begin()));
  EXPECT_EQ(validations.size(), 30u);
  EXPECT_EQ(lines[1]["valid_bytes"], 96);       // the sample: six windows
  EXPECT_EQ(lines.back()["valid_bytes"], 500);  // everything
  EXPECT_EQ(lines.back()["step"], 120);
  EXPECT_EQ(result.progress.valid->bits_per_byte, lines.back()["valid_bpb"].get<double>());
  EXPECT_EQ(load_run_config(folder / "run").train, config);
  for (const char* name : {"config.json", "model.safetensors", "best.safetensors", "state.safetensors", "metrics.jsonl"})
    EXPECT_TRUE(std::filesystem::exists(folder / "run/" + name)) << name;
}

TEST(Trainer, LinesAreAsTheyShould) {
  // One step by hand: mean loss, gradient norm and learning rate as the model and the schedule give them.
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(1);
  whole_run(config, data, folder / "run");
  const nlohmann::json line = metrics_of(folder / "run").at(0);

  FakeModel model = fresh_model(), gradient(16, 4);
  const Corpus corpus(data.train);
  const RandomWindows windows(corpus.all(), 16, RandomKey{1}.child(~std::uint64_t{0}));
  std::vector<std::uint8_t> bytes(64);
  windows.fill(0, 0, 16, bytes);
  std::vector<float> losses(64);
  Workspace workspace(1);
  Context ctx(workspace);
  ctx.mode = Mode::train;
  ctx.key = RandomKey{1}.child(0);
  model.train(ctx, {bytes.data(), 4, 16}, 1.0f / 64, losses, gradient, *model.make_tape({4, 16}));
  double loss = 0, squares = 0;
  for (const float c : losses) loss += static_cast<double>(c);
  for (const Parameter& p : gradient.parameters())
    for (const float g : p.tensor->span()) squares += static_cast<double>(g) * static_cast<double>(g);
  EXPECT_NEAR(line["train_bpb"], loss / 64 / std::log(2.0), 1e-12);
  EXPECT_NEAR(line["grad_norm"], std::sqrt(squares), 1e-7);
  EXPECT_EQ(line["lr"], 0.05 / 3);
}

TEST(Trainer, ResumesToTheSameBits) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(17);
  whole_run(config, data, folder / "whole");
  // Before the first line, at a line, at a validation, and after the last step, before the last validation.
  interrupted_run(config, data, folder / "stopped", {1, 2, 3, 4, 8, 11, 16, 17});
  expect_same_run(folder / "whole", folder / "stopped");
}

TEST(Trainer, ResumesWithABudgetInBytes) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(0);
  config.budget = {.steps = 0, .bytes = 10 * 64 + 1, .minutes = 0};  // eleven steps
  config.average = 0;
  config.schedule.kind = ScheduleKind::cosine;
  EXPECT_EQ(whole_run(config, data, folder / "whole").progress.step, 11);
  interrupted_run(config, data, folder / "stopped", {5, 10});
  expect_same_run(folder / "whole", folder / "stopped");
}

TEST(Trainer, SameBitsOnAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  for (const int threads : {1, 2, 3}) whole_run(short_run(9), data, folder / std::to_string(threads), threads);
  expect_same_run(folder / "1", folder / "2");
  expect_same_run(folder / "1", folder / "3");
}

TEST(Trainer, AccumulatedMicroBatchesEqualOneBatch) {
  // The same windows and dropout masks; sums of floats in another order.
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig eight = short_run(6), parts = short_run(6);
  eight.batch = 8;
  parts.batch = 4;
  parts.accumulate = 2;
  whole_run(eight, data, folder / "eight");
  whole_run(parts, data, folder / "parts");
  const auto a = metrics_of(folder / "eight"), b = metrics_of(folder / "parts");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (const char* key : {"step", "bytes", "train_bpb", "grad_norm", "lr"})
      EXPECT_NEAR(a[i][key], b[i][key], 1e-5 * a[i][key].get<double>()) << key;
}

TEST(Trainer, AveragedWeightsAreWhatUsersGet) {
  const TemporaryFolder folder;
  whole_run(short_run(5), write_data(folder), folder / "run");
  const auto model = tensors_of(folder / "run/model.safetensors"), state = tensors_of(folder / "run/state.safetensors");
  EXPECT_EQ(model.at("table.weight"), state.at("average.table.weight"));
  EXPECT_NE(model.at("table.weight"), state.at("weights.table.weight"));
}

TEST(Trainer, BestIsKept) {
  // So little to learn from that the model soon knows it by heart, and gets worse at everything else.
  const TemporaryFolder folder;
  DataConfig data = write_data(folder);
  data.train = {folder.write("few.txt", some_text(40))};
  TrainConfig config = short_run(80);
  config.average = 0;
  config.save_every_minutes = 0;
  config.schedule = {.kind = ScheduleKind::cooldown, .peak = 0.3, .warmup_steps = 0};
  const TrainResult result = whole_run(config, data, folder / "run");
  double best = 1e9;
  int best_step = 0;
  for (const nlohmann::json& line : metrics_of(folder / "run"))
    if (line.contains("valid_bpb") && line["valid_bytes"] == 96 && line["valid_bpb"] < best) {
      best = line["valid_bpb"];
      best_step = line["step"];
    }
  ASSERT_GT(best_step, 4);  // neither the first nor the last, or this shows nothing
  ASSERT_LT(best_step, 76);
  EXPECT_EQ(result.progress.best->step, best_step);
  EXPECT_EQ(result.progress.best->bits_per_byte, best);
  EXPECT_EQ(SafetensorsReader(folder / "run/best.safetensors").metadata().at("step"), std::to_string(best_step));
  interrupted_run(config, data, folder / "stopped", {best_step + 2});  // the best is kept over a resume
  expect_same_run(folder / "run", folder / "stopped");
}

TEST(Trainer, MetricsBehindTheCheckpointAreCut) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(12);
  whole_run(config, data, folder / "whole");
  {
    FakeModel model = fresh_model();
    Trainer(model, config, data, folder / "cut", {.threads = 1}).run(stop_at(7));
  }
  // As a process that was killed later would have left it: lines of steps that no checkpoint has, and half of one.
  std::ofstream(folder / "cut/metrics.jsonl", std::ios::app) << R"({"step":8,"seconds":1})"
                                                             << "\n"
                                                             << R"({"step":9,"byt)";
  FakeModel model = fresh_model();
  Trainer trainer(model, config, data, folder / "cut", {.threads = 1});
  trainer.resume();
  trainer.run();
  expect_same_run(folder / "whole", folder / "cut");
}

TEST(Trainer, AModelNewerThanItsStateDoesNotMatter) {
  // What a kill between the two renames of a checkpoint leaves.
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(12);
  whole_run(config, data, folder / "whole");
  FakeModel model = fresh_model();
  Trainer(model, config, data, folder / "run", {.threads = 1}).run(stop_at(5));
  std::filesystem::copy(folder / "run", folder / "older");
  FakeModel again = fresh_model();
  Trainer later(again, config, data, folder / "run", {.threads = 1});
  later.resume();
  later.run(stop_at(9));
  std::filesystem::copy_file(folder / "older/state.safetensors", folder / "run/state.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  std::ofstream(folder / "run/state.safetensors.megalith-tmp") << "half of a state";
  FakeModel last = fresh_model();
  Trainer trainer(last, config, data, folder / "run", {.threads = 1});
  trainer.resume();
  trainer.run();
  expect_same_run(folder / "whole", folder / "run");
}

/// A run as it is when it is killed between the model and the state of its first checkpoint, that of step 0.
void leave_killed_at_its_start(const TrainConfig& config, const DataConfig& data, const std::string& dir) {
  FakeModel killed = fresh_model();
  Trainer(killed, config, data, dir, {.threads = 1}).run(stop_at(1));
  save_model(dir + "/model.safetensors", fresh_model(), {{"step", "0"}});
  EXPECT_TRUE(std::filesystem::remove(dir + "/state.safetensors"));
}

TEST(Trainer, StartsAnewWhereNoCheckpointWasReached) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(5);
  whole_run(config, data, folder / "whole");
  leave_killed_at_its_start(config, data, folder / "run");
  FakeModel model = fresh_model();
  Trainer trainer(model, config, data, folder / "run", {.threads = 1});
  trainer.resume();
  trainer.run();
  expect_same_run(folder / "whole", folder / "run");

  EXPECT_EQ(trainer.progress().step, 5);
}

TEST(Trainer, DoesNotStartAnewOverWhatWasTrained) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const TrainConfig config = short_run(5);
  FakeModel model = fresh_model();
  // Each of the three alone shows that there was a checkpoint.
  for (const std::string kept : {"model.safetensors", "best.safetensors", "metrics.jsonl"}) {
    const std::string run = folder / kept + ".run/";
    whole_run(config, data, run);
    for (const std::string lost : {"state.safetensors", "model.safetensors", "best.safetensors", "metrics.jsonl"})
      if (lost != kept) std::filesystem::remove(run + lost);
    EXPECT_ERROR(Trainer(model, config, data, run, {.threads = 1}).resume(), "has lost its state.safetensors") << kept;
    EXPECT_GT(std::filesystem::file_size(run + kept), 0u);
  }
}

TEST(Trainer, ARunKilledAtItsStartKeepsItsSettings) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  TrainConfig config = short_run(5);
  FakeModel model = fresh_model();
  leave_killed_at_its_start(config, data, folder / "run");
  DataConfig other = data;
  other.train = data.valid;
  EXPECT_ERROR(Trainer(model, config, other, folder / "run", {.threads = 1}).resume(), "killed at its start");
  config.batch = 5;
  EXPECT_ERROR(Trainer(model, config, data, folder / "run", {.threads = 1}).resume(), "train.batch was 4 and is now 5");
}

TEST(Trainer, AFinishedRunStaysAsItIs) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const double valid = whole_run(short_run(5), data, folder / "run").progress.valid->bits_per_byte;
  const std::string metrics = read_file(folder / "run/metrics.jsonl"), state = read_file(folder / "run/state.safetensors");
  FakeModel model = fresh_model();
  Trainer trainer(model, short_run(5), data, folder / "run", {.threads = 1});
  trainer.resume();
  const TrainResult result = trainer.run();
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.progress.valid->bits_per_byte, valid);
  EXPECT_EQ(read_file(folder / "run/metrics.jsonl"), metrics);
  EXPECT_EQ(read_file(folder / "run/state.safetensors"), state);
}

}  // namespace
}  // namespace megalith

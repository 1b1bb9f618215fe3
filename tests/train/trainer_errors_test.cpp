// SPDX-License-Identifier: Apache-2.0
// Runs that must not start or not go on.
#include <cmath>

#include "support/forwarding_model.h"
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

TEST(TrainerErrors, WeightsThatAreNotFiniteStopAndKeepTheCheckpoint) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  model.init({1});
  std::string before;
  Trainer trainer(model, short_run(20), data, folder / "run", {.threads = 1});
  const std::string message = error_of([&] {
    trainer.run([&](const Progress& p) {
      if (p.step == 6 && p.phase == Phase::training && before.empty()) before = read_file(folder / "run/state.safetensors");
      if (p.step == 6) model.parameters()[1].tensor->data()[3] = NAN;
      return Control::go_on;
    });
  });
  // The report of step 6 comes before its checkpoint, which must not be written with such weights.
  for (const char* part :
       {"step 6", "not a finite number", "learning rate", "gradient norm", "the checkpoint of step 5 stays"})
    EXPECT_NE(message.find(part), message.npos) << message;
  EXPECT_EQ(read_file(folder / "run/state.safetensors"), before);
  FakeModel again(16, 4);
  Trainer resumed(again, short_run(20), data, folder / "run", {.threads = 1});
  resumed.resume();
  EXPECT_EQ(resumed.run().progress.step, 20);
}

/// A model whose gradient is not finite although its loss is.
class BrokenGradient final : public ForwardingModel {
 public:
  BrokenGradient() : ForwardingModel(std::make_unique<FakeModel>()) {}
  void train(const Context& ctx, Bytes bytes, float scale, std::span<float> losses, AnyModel& grad, AnyTape& tape,
             AnyState* state, AnyState* dstate) const override {
    ForwardingModel::train(ctx, bytes, scale, losses, grad, tape, state, dstate);
    grad.parameters()[0].tensor->data()[7] = INFINITY;
  }
};

TEST(TrainerErrors, AGradientThatIsNotFiniteStops) {
  const TemporaryFolder folder;
  BrokenGradient model;
  Trainer trainer(model, short_run(20), write_data(folder), folder / "run", {.threads = 1});
  EXPECT_ERROR(trainer.run(), "stopped at step 1: the gradient is inf");
  for (const Parameter& p : model.parameters())
    for (const float x : p.tensor->span()) ASSERT_EQ(x, 0);  // no step was taken
}

TEST(TrainerErrors, WhatIsNotGiven) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  EXPECT_ERROR(Trainer(model, short_run(20), nullptr, {}, folder / "run"), "the sampler of the trainer is a null pointer");
  EXPECT_ERROR(Trainer(model, short_run(20), data, ""), "the folder of the run has no name");
  EXPECT_ERROR(Trainer(model, short_run(20), data, folder / "run", {.optimizer = nullptr}), "make no optimiser");
  for (const int threads : {0, Team::kMaxThreads + 1})
    EXPECT_ERROR(Trainer(model, short_run(20), data, folder / "run", {.threads = threads}), "must be from 1 to 4096");
}

TEST(TrainerErrors, ResumeRefusesWhatWouldChangeTheResult) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  Trainer(model, short_run(20), data, folder / "run", {.threads = 1}).run(stop_at(5));
  const auto refusal = [&](auto&& change) {
    TrainConfig config = short_run(20);
    change(config);
    return error_of([&] { Trainer(model, config, data, folder / "run", {.threads = 1}).resume(); });
  };
  EXPECT_EQ(refusal([](TrainConfig&) {}), "");
  EXPECT_NE(refusal([](TrainConfig& c) { c.batch = 8; }).find("train.batch was 4 and is now 8"), std::string::npos);
  EXPECT_NE(refusal([](TrainConfig& c) { c.budget.steps = 30; }).find("train.budget.steps was 20 and is now 30"),
            std::string::npos);
  EXPECT_NE(refusal([](TrainConfig& c) { c.seed = 2; }).find("train.seed was 1 and is now 2"), std::string::npos);
  EXPECT_NE(
      refusal([](TrainConfig& c) { c.schedule.kind = ScheduleKind::cosine; }).find("was \"linear\" and is now \"cosine\""),
      std::string::npos);
  const std::string two = refusal([](TrainConfig& c) { c.clip = 2, c.adamw.beta2 = 0.95; });
  EXPECT_NE(two.find("train.adamw.beta2 was 0.98 and is now 0.95"), std::string::npos) << two;
  EXPECT_NE(two.find("train.clip was 1.0 and is now 2.0"), std::string::npos) << two;
  EXPECT_EQ(refusal([](TrainConfig& c) { c.eval_every = 7, c.eval_bytes = 0, c.log_every = 1, c.save_every_minutes = 1; }),
            "");

  EXPECT_NE(refusal([](TrainConfig& c) { c.patience = 3; }).find("train.patience was missing and is now 3"),
            std::string::npos);

  FakeModel other(24, 8);
  EXPECT_ERROR(Trainer(other, short_run(20), data, folder / "run", {.threads = 1}).resume(),
               "model.length was 16 and is now 24");
  DataConfig other_data = data;
  other_data.train = {folder.write("other.txt", some_text(5001))};
  EXPECT_ERROR(Trainer(model, short_run(20), other_data, folder / "run", {.threads = 1}).resume(),
               "data.train was \"5000 bytes");
  other_data.train = {folder.write("moved/elsewhere.txt", some_text(5000))};
  EXPECT_NO_THROW(Trainer(model, short_run(20), other_data, folder / "run", {.threads = 1}).resume());
}

TEST(TrainerErrors, DamagedStatesAreRefusedAndTouchNothing) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  model.init({1});
  Trainer(model, short_run(20), data, folder / "run", {.threads = 1}).run(stop_at(5));
  const std::string state = folder / "run/state.safetensors", whole = read_file(state);
  const auto refusal = [&](const std::string& content) {
    folder.write("run/state.safetensors", content);
    FakeModel fresh(16, 4);
    const std::string message =
        error_of([&] { Trainer(fresh, short_run(20), data, folder / "run", {.threads = 1}).resume(); });
    for (const Parameter& p : fresh.parameters())
      for (const float x : p.tensor->span()) EXPECT_EQ(x, 0);
    return message;
  };
  EXPECT_NE(refusal(whole.substr(0, whole.size() - 1)), "");
  EXPECT_NE(refusal(""), "");
  std::filesystem::copy_file(folder / "run/model.safetensors", folder / "model",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(refusal(read_file(folder / "model")).find("not the state of a run"), std::string::npos);
  std::string renamed = whole;
  renamed.replace(renamed.find("first.positions"), 15, "first.Positions");
  EXPECT_NE(refusal(renamed).find("no tensor first.positions"), std::string::npos);
  const auto with_settings = [&](std::string_view first,
                                 std::string_view last) {  // as long as they were, filled up with blanks
    const std::size_t begin = whole.find("\"settings\":\"") + 12, end = whole.find("}\"", begin) + 1;
    std::string changed = whole;
    const std::string blanks(end - begin - first.size() - last.size(), ' ');
    return changed.replace(begin, end - begin, std::string(first) + blanks + std::string(last));
  };
  for (const char* settings : {"5", "[]", "{}"})
    EXPECT_NE(refusal(with_settings(settings, "")).find("and must be JSON with an object"), std::string::npos) << settings;
  const std::string long_message = refusal(with_settings(R"({\"train\":\")", R"(\"})"));
  EXPECT_NE(long_message.find("settings is \"{\"train\":\"   "), std::string::npos) << long_message;
  EXPECT_EQ(long_message.find(std::string(100, ' ')), std::string::npos) << long_message;
  EXPECT_EQ(error_of([&] {
              folder.write("run/state.safetensors", whole);
              Trainer(model, short_run(20), data, folder / "run", {.threads = 1}).resume();
            }),
            "");
}

TEST(TrainerErrors, FoldersThatHoldARunOrCannotBeWritten) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  const auto run_in = [&](const std::string& dir) { Trainer(model, short_run(2), data, dir, {.threads = 1}).run(); };
  run_in(folder / "run");
  EXPECT_ERROR(run_in(folder / "run"), "holds a run already");
  EXPECT_ERROR(run_in(folder / "train.txt"), "cannot make the folder");
  EXPECT_ERROR(run_in(folder / "train.txt/below"), "cannot make the folder");
  EXPECT_NO_THROW(run_in(folder / "new/deep/down"));
  EXPECT_ERROR(Trainer(model, short_run(2), data, folder / "nothing", {.threads = 1}).resume(), "holds no run");
  EXPECT_FALSE(std::filesystem::exists(folder / "nothing"));
  if (::geteuid() != 0) {  // nothing is unwritable to the superuser
    std::filesystem::create_directory(folder / "closed");
    std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_read);
    EXPECT_ERROR(run_in(folder / "closed"), "closed");
  }
}

TEST(TrainerErrors, OneTrainerAtATime) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4), other(16, 4);
  Trainer trainer(model, short_run(6), data, folder / "run", {.threads = 1});
  EXPECT_TRUE(trainer
                  .run([&](const Progress&) {
                    Trainer intruder(other, short_run(6), data, folder / "run", {.threads = 1});
                    EXPECT_ERROR(intruder.resume(), "another trainer is at work");
                    EXPECT_ERROR(intruder.resume(), "another trainer is at work");
                    EXPECT_ERROR(intruder.run(), "another trainer is at work");
                    return Control::stop;
                  })
                  .stopped);
  Trainer next(other, short_run(6), data, folder / "run",
               {.threads = 1});  // the first one is still there, but has done its work
  next.resume();
  EXPECT_EQ(next.run().progress.step, 6);
}

TEST(TrainerErrors, SettingsAndData) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4);
  const auto refusal = [&](auto&& change) {
    TrainConfig config = short_run(2);
    DataConfig bytes = data;
    change(config, bytes);
    return error_of([&] { Trainer(model, config, bytes, folder / "run", {.threads = 1}); });
  };
  const auto expect = [&](auto&& change, const std::string& part) {
    const std::string message = refusal(change);
    EXPECT_NE(message.find(part), message.npos) << message;
  };
  expect([](TrainConfig& c, DataConfig&) { c.budget.bytes = 5; }, "exactly one");
  expect([](TrainConfig& c, DataConfig&) { c.budget.steps = 0; }, "exactly one");
  expect([](TrainConfig& c, DataConfig&) { c.budget.steps = -1; }, "budget.steps is -1");
  expect([](TrainConfig& c, DataConfig&) { c.length = 6; }, "not a multiple of the model's patch size 4");
  expect([](TrainConfig& c, DataConfig&) { c.length = 32; }, "at most 16");
  expect([](TrainConfig& c, DataConfig&) { c.batch = 0, c.log_every = 0; }, "batch is 0");
  expect([](TrainConfig& c, DataConfig&) { c.batch = 0, c.log_every = 0; }, "log_every is 0");
  expect([](TrainConfig& c, DataConfig&) { c.schedule.peak = NAN; }, "schedule.peak");
  expect([](TrainConfig& c, DataConfig&) { c.adamw.beta2 = 1; }, "adamw.beta2 is 1");
  expect([](TrainConfig& c, DataConfig&) { c.average = 1; }, "average is 1");
  expect([](TrainConfig& c, DataConfig&) { c.clip = -1; }, "clip is -1");
  expect([&](TrainConfig&, DataConfig& d) { d.train = {folder.write("short", "too short")}; },
         "9 bytes, fewer than one window");
  expect([](TrainConfig&, DataConfig& d) { d.valid_share = 0.1; }, "give one of them");
  expect([](TrainConfig&, DataConfig& d) { d.valid = {}, d.valid_share = 1; }, "share");
  expect([](TrainConfig&, DataConfig& d) { d.valid = {}, d.valid_share = 1e-9; }, "less than one");
  EXPECT_ERROR(Trainer(model, short_run(2), data, folder / "run", {.threads = 0}), "threads is 0");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(TrainerErrors, AModelWithoutALongestWindowNeedsALength) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  FakeModel model(16, 4, 0, true);
  TrainConfig config = short_run(4);
  EXPECT_ERROR(Trainer(model, config, data, folder / "run", {.threads = 1}),
               "length is 0, and the model has no longest window; name one");
  config.length = 6;
  EXPECT_ERROR(Trainer(model, config, data, folder / "run", {.threads = 1}), "not a multiple of the model's patch size 4");
  config.length = 40;
  const TrainResult result = Trainer(model, config, data, folder / "run", {.threads = 1}).run();
  EXPECT_EQ(result.progress.bytes, 4 * 4 * 40);
  EXPECT_EQ(result.progress.valid->bytes, 500);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Runs of models that read records.
#include "megalith/train/record_windows.h"
#include "train/run_helpers.h"

namespace megalith {
namespace {

using namespace tests;

const RecordConfig kSamples{8, {.kind = ScanKind::split, .sample_bytes = 2}};

FakeModel fresh(const RecordConfig& record) {
  FakeModel model(16, 4, 0.2);
  model.init({9});
  model.set_record(record);
  return model;
}

TEST(TrainerRecords, StoppedAndResumedRunsHaveTheSameBits) {
  const TemporaryFolder folder;
  const DataConfig data{.train = {folder.write("a/x", some_text(301, 1)), folder.write("b", some_text(5003, 2))},
                        .weights = {3, 1},
                        .valid_share = 0.2,
                        .separator = "#"};
  {
    FakeModel model = fresh(kSamples);
    Trainer(model, short_run(9), data, folder / "whole", {.threads = 1}).run();
  }
  for (const int stop : {2, 5, 100}) {
    FakeModel model = fresh(kSamples);
    Trainer trainer(model, short_run(9), data, folder / "stopped", {.threads = stop == 5 ? 2 : 1});
    if (stop > 2) trainer.resume();
    trainer.run(stop_at(stop));
  }
  expect_same_run(folder / "whole", folder / "stopped");
  FakeModel other = fresh({8, {}});
  EXPECT_ERROR(Trainer(other, short_run(9), data, folder / "whole", {.threads = 1}).resume(),
               "model.record.scan.kind was \"split\" and is now \"none\"");
  FakeModel none = fresh({});
  EXPECT_ERROR(Trainer(none, short_run(9), data, folder / "whole", {.threads = 1}).resume(),
               "model.record.bytes was 8 and is now 1");
}

TEST(TrainerRecords, WindowsAreRecordWindows) {
  const TemporaryFolder folder;
  const DataConfig data = write_data(folder);
  const Corpus train(data.train), valid(data.valid);
  const TrainConfig config = short_run(6);
  FakeModel model = fresh(kSamples);
  Trainer(model, config, data, folder / "run", {.threads = 1}).run();
  FakeModel by_hand = fresh(kSamples);
  Trainer(by_hand, config, std::make_unique<RecordWindows>(train.all(), 16, config.data_key(), kSamples), valid.all(),
          folder / "by_hand", {.threads = 1})
      .run();
  EXPECT_EQ(metrics_of(folder / "run"), metrics_of(folder / "by_hand"));
  FakeModel random = fresh({});
  Trainer(random, config, data, folder / "random", {.threads = 1}).run();
  EXPECT_NE(metrics_of(folder / "run"), metrics_of(folder / "random"));
}

TEST(TrainerRecords, ValidationIsOfTheHeldOutRecords) {
  const TemporaryFolder folder;
  const DataConfig data{.train = {folder.write("data", some_text(1003, 1))}, .valid_share = 0.25};
  FakeModel model = fresh(kSamples);
  const TrainResult result = Trainer(model, short_run(6), data, folder / "run", {.threads = 1}).run();
  ASSERT_TRUE(result.progress.valid);
  EXPECT_EQ(result.progress.valid->bytes, 248) << "752 to learn from, and 3 at the end that are no record";
}

TEST(TrainerRecords, WindowsOfAnotherLengthMustSuitTheRecords) {
  const TemporaryFolder folder;
  TrainConfig config = short_run(6);
  config.length = 12;
  FakeModel model = fresh(kSamples);
  EXPECT_ERROR(Trainer(model, config, write_data(folder), folder / "run", {.threads = 1}),
               "length is 12, which neither divides the model's records of 8 bytes nor is a multiple of them");
  config.length = 4;
  Trainer(model, config, write_data(folder), folder / "run", {.threads = 1}).run();
}

}  // namespace
}  // namespace megalith

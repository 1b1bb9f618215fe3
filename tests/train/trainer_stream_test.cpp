// SPDX-License-Identifier: Apache-2.0
// Runs on a stream: States are carried from window to window, the gradient over some of them.
#include "megalith/models/any_model.h"
#include "megalith/train/stream_windows.h"
#include "support/configs.h"
#include "train/run_helpers.h"
#include "train/state_file.h"

namespace megalith {
namespace {

using namespace tests;

/// A model without a longest sequence, if its positions are not learned.
std::unique_ptr<AnyModel> fresh(const char* name = "megalodon", PositionKind positions = PositionKind::rotary) {
  ModelConfig config = config_named(name);
  config.scales[0].stack.positions = positions;
  auto model = make_model(config);
  model->init({9});
  return model;
}

TrainConfig on_a_stream(std::int64_t steps, Index length = 16, Index carry = 1) {
  TrainConfig config = short_run(steps);
  config.batch = 2;
  config.accumulate = 2;
  config.length = length;
  config.stream = true;
  config.carry = carry;
  return config;
}

/// Files of which some end inside of windows.
DataConfig data_in(const TemporaryFolder& folder) {
  return {.train = {folder.write("a", some_text(333, 1)), folder.write("b", some_text(90, 2)),
                    folder.write("c", some_text(701, 3))},
          .valid = {folder.write("v", some_text(200, 4))}};
}

void train(AnyModel& model, const TrainConfig& config, const DataConfig& data, const std::string& dir, int threads = 1) {
  Trainer(model, config, data, dir, {.threads = threads}).run();
}

double distance(AnyModel& a, AnyModel& b) {
  double largest = 0;
  const auto x = a.parameters(), y = b.parameters();
  for (std::size_t p = 0; p < x.size(); ++p)
    for (Index i = 0; i < x[p].tensor->size(); ++i)
      largest = std::max<double>(largest, std::abs(x[p].tensor->data()[i] - y[p].tensor->data()[i]));
  return largest;
}

/// The same bytes in windows of 8 over which the gradient flows back, in a tape of 8 bytes, and in one of 32.
TEST(TrainerStream, CarryIsALongerWindow) {
  const TemporaryFolder folder;
  const DataConfig data = data_in(folder);
  for (const char* const name : {"megalodon", "megalodon_megabyte"}) {
    SCOPED_TRACE(name);
    const auto whole = fresh(name), carried = fresh(name);
    train(*whole, on_a_stream(5, 32), data, folder / (std::string(name) + "_whole"));
    train(*carried, on_a_stream(5, 8, 4), data, folder / (std::string(name) + "_carried"));
    EXPECT_LT(distance(*whole, *carried), 2e-3);
    const std::vector<nlohmann::json> a = metrics_of(folder / (std::string(name) + "_whole")),
                                      b = metrics_of(folder / (std::string(name) + "_carried"));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i]["train_bpb"].get<double>(), b[i]["train_bpb"].get<double>(), 1e-5);
      EXPECT_NEAR(a[i]["grad_norm"].get<double>(), b[i]["grad_norm"].get<double>(), 1e-4);
      EXPECT_EQ(a[i]["bytes"], b[i]["bytes"]);
    }
  }
}

/// Gives the windows of another sampler as if each began afresh, or as if none did.
class Relabelled final : public BatchSampler {
 public:
  Relabelled(const StreamWindows& windows, bool afresh) : windows_(windows), afresh_(afresh) {}
  void fill(std::int64_t step, Index first, Index length, std::span<std::uint8_t> bytes) const override {
    windows_.fill(step, first, length, bytes);
  }
  std::vector<Index> beginnings(std::int64_t step, Index, Index) const override {
    return afresh_ || step == 0 ? std::vector<Index>{0} : std::vector<Index>{};
  }
  std::string describe() const override { return "relabelled"; }

 private:
  StreamWindows windows_;
  bool afresh_;
};

TEST(TrainerStream, WindowsGoOnWhereTheOneBeforeEnded) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("a", some_text(900, 1))});
  const StreamWindows windows(corpus.all(), {.streams = 4, .length = 16});
  const auto run = [&](const char* dir, std::unique_ptr<const BatchSampler> sampler, TrainConfig config) {
    const auto model = fresh();
    Trainer(*model, config, std::move(sampler), {}, folder / dir, {.threads = 1}).run();
    return metrics_of(folder / dir);
  };
  const TrainConfig config = on_a_stream(6);
  TrainConfig drawn = config;
  drawn.stream = false;
  const auto stream = run("stream", std::make_unique<StreamWindows>(windows), config);
  EXPECT_EQ(stream, run("on", std::make_unique<Relabelled>(windows, false), config));
  const auto afresh = run("afresh", std::make_unique<Relabelled>(windows, true), config);
  EXPECT_NE(stream, afresh);
  // Windows that begin afresh are windows as they ever were, up to the rounding of one sequence at a time.
  const auto single = run("single", std::make_unique<StreamWindows>(windows), drawn);
  ASSERT_EQ(afresh.size(), single.size());
  for (std::size_t i = 0; i < single.size(); ++i)
    EXPECT_NEAR(afresh[i]["train_bpb"].get<double>(), single[i]["train_bpb"].get<double>(), 1e-5);
}

TEST(TrainerStream, StoppedAndResumedRunsHaveTheSameBits) {
  const TemporaryFolder folder;
  const DataConfig data = data_in(folder);
  for (const char* const name : {"megalodon", "megalodon_megabyte"}) {
    SCOPED_TRACE(name);
    const TrainConfig config = on_a_stream(9, 16, 2);
    train(*fresh(name), config, data, folder / (std::string(name) + "_whole"));
    for (const int stop : {2, 5, 100}) {
      const auto model = fresh(name);
      Trainer trainer(*model, config, data, folder / (std::string(name) + "_stopped"), {.threads = stop == 5 ? 2 : 1});
      if (stop > 2) trainer.resume();
      trainer.run(stop_at(stop));
    }
    expect_same_run(folder / (std::string(name) + "_whole"), folder / (std::string(name) + "_stopped"));
  }
}

TEST(TrainerStream, ResumingRefusesOtherFilesAndOtherStates) {
  const TemporaryFolder folder;
  const DataConfig data = data_in(folder);
  const TrainConfig config = on_a_stream(4);
  const auto model = fresh();
  Trainer(*model, config, data, folder / "run", {.threads = 1}).run(stop_at(2));
  const auto resume = [&](const TrainConfig& other) {
    return error_of([&] { Trainer(*model, other, data, folder / "run", {.threads = 1}).resume(); });
  };
  TrainConfig carried = config;
  carried.carry = 2;
  EXPECT_NE(resume(carried).find("train.carry was 1 and is now 2"), std::string::npos) << resume(carried);
  TrainConfig drawn = config;
  drawn.stream = false;
  EXPECT_NE(resume(drawn).find("train.stream was true and is now missing"), std::string::npos) << resume(drawn);
  const std::string path = folder / "run/state.safetensors";
  StateFile damaged(path);
  damaged.set("stream.0", '?');
  const std::string whole = read_file(path);
  damaged.write(path);
  EXPECT_NE(resume(config).find("stream.0 is no State of this model"), std::string::npos) << resume(config);
  folder.write("run/state.safetensors", whole);
  EXPECT_EQ(resume(config), "");
  folder.write("b", some_text(91, 2));
  EXPECT_NE(resume(config).find("data.train was"), std::string::npos) << resume(config);
}

TEST(TrainerStream, Refusals) {
  const TemporaryFolder folder;
  const DataConfig data = data_in(folder);
  const auto refusal = [&](const TrainConfig& config, AnyModel& model, const DataConfig& of) {
    return error_of([&] { Trainer(model, config, of, folder / "run", {.threads = 1}); });
  };
  const auto expect = [&](const std::string& said, const std::string& part) {
    EXPECT_NE(said.find(part), std::string::npos) << said;
  };
  const auto windowed = fresh("vanilla"), learned = fresh("megalodon_megabyte", PositionKind::learned), model = fresh();
  for (AnyModel* const m : {windowed.get(), learned.get()})
    expect(refusal(on_a_stream(3), *m, data),
           "stream is for models without a longest sequence, and this one reads 32 bytes at most; train it on windows");
  DataConfig weighted = data;
  weighted.weights = {1, 2, 1};
  expect(refusal(on_a_stream(3), *model, weighted), "the data have weights, and a stream reads all of them in order");
  expect(refusal(on_a_stream(3, 16, 0), *model, data), "carry is 0, and must be from 1 to");
  TrainConfig drawn = on_a_stream(3, 16, 2);
  drawn.stream = false;
  expect(refusal(drawn, *model, data), "carry is 2, and windows that are drawn carry nothing; train on a stream");
  drawn.carry = 1;
  drawn.across_files = true;
  expect(refusal(drawn, *model, data), "across_files is for streams");
  expect(refusal(on_a_stream(3, 16, 40), *model, data), "fewer than one window each; add data");
}

}  // namespace
}  // namespace megalith

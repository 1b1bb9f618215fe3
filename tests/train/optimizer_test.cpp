// SPDX-License-Identifier: Apache-2.0
// An optimiser of a program's own, here plain SGD with momentum, is trained with, saved, resumed and counted like AdamW.
#include "megalith/train/optimizer.h"

#include <utility>

#include "megalith/runtime/machine_memory.h"
#include "megalith/train/parameter_chunks.h"
#include "support/small_models.h"
#include "train/run_helpers.h"
#include "train/state_file.h"

namespace megalith {
namespace {

using namespace tests;

/// v = momentum v + g,   w = w - lr v
class MomentumSgd final : public Optimizer {
 public:
  MomentumSgd(std::span<const Parameter> parameters, double momentum) : momentum_(momentum), chunks_(parameters) {
    for (const Parameter& p : parameters) {
      velocity_.push_back(*p.tensor);
      velocity_.back().fill(0);
    }
  }
  std::string name() const override { return "SGD"; }
  std::string settings() const override { return text("momentum ", momentum_); }
  void update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
              double gradient_scale, std::int64_t) override {
    const float keep = static_cast<float>(momentum_), add = static_cast<float>(gradient_scale),
                step = static_cast<float>(lr);
    chunks_.parallel_pieces(ctx, [&](const ParameterChunk& piece) {
      auto g = ParameterChunks::view(*gradients[piece.parameter].tensor, piece).array();
      auto v = ParameterChunks::view(velocity_[piece.parameter], piece).array();
      v = keep * v + add * g;
      ParameterChunks::view(*values[piece.parameter].tensor, piece).array() -= step * v;
      g.setZero();
    });
  }
  void visit_state(const Visitor<Tensor<float>>& f) override {
    for (std::size_t p = 0; p < velocity_.size(); ++p) f("velocity", p, velocity_[p], StateNumbers::finite);
  }
  double bytes_per_parameter() const override { return sizeof(float); }

 private:
  double momentum_;
  ParameterChunks chunks_;
  std::vector<Tensor<float>> velocity_;
};

TrainerOptions with_sgd(double momentum = 0.9, int threads = 1) {
  return {.threads = threads, .optimizer = [momentum](const TrainConfig&, std::span<const Parameter> parameters) {
            return std::make_unique<MomentumSgd>(parameters, momentum);
          }};
}

TrainConfig sgd_run(std::int64_t steps) {
  TrainConfig config = short_run(steps);
  config.schedule.peak = 2;
  return config;
}

struct OptimizerTest : ::testing::Test {
  /// Of a model that starts from the same weights each time.
  TrainResult run(const TrainConfig& config, const std::string& dir, const TrainerOptions& options, bool resume = false,
                  const Report& report = {}) {
    FakeModel model(16, 4);
    model.init({resume ? 2u : 1u});
    Trainer trainer(model, config, data, dir, options);
    if (resume) trainer.resume();
    return trainer.run(report);
  }
  /// What resuming the run in `dir` says.
  std::string refusal(const std::string& dir, const TrainerOptions& options) {
    FakeModel model(16, 4);
    return error_of([&] { Trainer(model, sgd_run(9), data, dir, options).resume(); });
  }

  TemporaryFolder folder;
  DataConfig data = write_data(folder);
};

TEST_F(OptimizerTest, AnotherOneLearns) {
  run(sgd_run(60), folder / "run", with_sgd());
  const auto lines = metrics_of(folder / "run");
  EXPECT_LT(lines.back()["train_bpb"], 0.8 * lines.front()["train_bpb"].get<double>());
}

TEST_F(OptimizerTest, AnotherOneResumesToTheSameBitsOnOtherThreads) {
  run(sgd_run(9), folder / "whole", with_sgd());
  run(sgd_run(9), folder / "stopped", with_sgd(), false, stop_at(2));
  run(sgd_run(9), folder / "stopped", with_sgd(0.9, 2), true, stop_at(5));
  run(sgd_run(9), folder / "stopped", with_sgd(0.9, 3), true);
  expect_same_run(folder / "whole", folder / "stopped");
}

TEST_F(OptimizerTest, AnotherOneHasItsStateInTheFile) {
  run(sgd_run(9), folder / "run", with_sgd(), false, stop_at(2));
  const std::string path = folder / "run/state.safetensors";
  StateFile state(path);
  EXPECT_EQ(state.metadata["optimizer"], "SGD (momentum 0.9)");
  std::vector<std::string> names;
  for (const auto& [name, info] : state.infos)
    if (!name.starts_with("run.")) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"average.positions", "average.table.weight", "velocity.positions",
                                             "velocity.table.weight", "weights.positions", "weights.table.weight"}));
  state.set("velocity.positions", INFINITY);
  state.write(path);
  const std::string message = refusal(folder / "run", with_sgd());
  EXPECT_NE(message.find("velocity.positions holds inf, and must hold finite numbers"), message.npos) << message;
}

TEST_F(OptimizerTest, ResumingWithAnotherOneIsRefused) {
  const std::string adamw = "AdamW (beta1 0.9, beta2 0.98, eps 1e-08, weight decay 0.1)";
  const auto sentence = [&](const std::string& dir, const std::string& was, const std::string& is) {
    return text(folder / dir, "/state.safetensors was saved with the optimiser ", was, ", and resuming with the optimiser ",
                is, " would change the result");
  };
  run(sgd_run(9), folder / "adamw", {.threads = 1}, false, stop_at(2));
  run(sgd_run(9), folder / "sgd", with_sgd(), false, stop_at(2));
  EXPECT_EQ(refusal(folder / "adamw", with_sgd()), sentence("adamw", adamw, "SGD (momentum 0.9)"));
  EXPECT_EQ(refusal(folder / "sgd", {.threads = 1}), sentence("sgd", "SGD (momentum 0.9)", adamw));
  EXPECT_EQ(refusal(folder / "sgd", with_sgd(0.5)), sentence("sgd", "SGD (momentum 0.9)", "SGD (momentum 0.5)"));
  EXPECT_EQ(refusal(folder / "adamw", {.threads = 1}), "");
  EXPECT_EQ(refusal(folder / "sgd", with_sgd()), "");

  // A state of version 0.1.0 does not name its optimiser, which is AdamW.
  StateFile state(folder / "adamw/state.safetensors");
  state.metadata.erase("optimizer");
  state.write(folder / "adamw/state.safetensors");
  EXPECT_EQ(refusal(folder / "adamw", with_sgd()), sentence("adamw", "AdamW", "SGD (momentum 0.9)"));
  EXPECT_EQ(refusal(folder / "adamw", {.threads = 1}), "");
}

/// Says that its state takes some bytes for each parameter, and takes none.
class Hungry final : public Optimizer {
 public:
  explicit Hungry(double bytes) : bytes_(bytes) {}
  std::string name() const override { return "hungry"; }
  std::string settings() const override { return ""; }
  void update(const Context&, std::span<const Parameter>, std::span<const Parameter>, double, double,
              std::int64_t) override {}
  void visit_state(const Visitor<Tensor<float>>&) override {}
  double bytes_per_parameter() const override { return bytes_; }

 private:
  double bytes_;
};

TEST_F(OptimizerTest, MemoryCountsItsState) {
  const auto model = make_small(small_models().front());
  const auto refusal_of = [&](double bytes) {
    const TrainerOptions options{.threads = 1, .optimizer = [bytes](const TrainConfig&, std::span<const Parameter>) {
                                   return std::make_unique<Hungry>(bytes);
                                 }};
    return error_of([&] { check_training(model->summary(), short_run(1), options); });
  };
  const double all = free_memory() / static_cast<double>(model->parameter_count());
  EXPECT_EQ(refusal_of(0.25 * all), "");
  EXPECT_NE(refusal_of(4 * all).find("training on batches of 4 x "), std::string::npos);
}

TEST(MakeOptimizer, GoesByTheSettings) {
  TrainConfig config;
  config.adamw.beta2 = 0.5;
  const auto optimizer = make_optimizer(config, {});
  EXPECT_EQ(describe(*optimizer), "AdamW (beta1 0.9, beta2 0.5, eps 1e-08, weight decay 0.1)");
  EXPECT_EQ(optimizer->bytes_per_parameter(), 8);
}

}  // namespace
}  // namespace megalith

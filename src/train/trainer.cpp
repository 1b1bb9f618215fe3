// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/trainer.h"

#include <algorithm>

#include "megalith/core/check.h"
#include "megalith/runtime/machine_memory.h"
#include "megalith/train/training_memory.h"
#include "trainer_run.h"

namespace megalith {

/// `held` is what has its memory already, in bytes: the weights of a model that was made.
static void check_training(const ModelSummary& model, const TrainConfig& config, const TrainerOptions& options,
                           double held) {
  config.validate(model);
  check(options.threads >= 1, "threads is ", options.threads, ", and must be 1 or more");
  const Shape batch{config.batch, config.window_length(model)};
  const TrainingMemory memory = training_memory(model, batch, config.average > 0, options.threads,
                                                options.optimizer(config, {})->bytes_per_parameter());
  check_memory(text("training on batches of ", batch.B, " x ", batch.T, " bytes"), memory.total() - held);
}

void check_training(const ModelSummary& model, const TrainConfig& config, const TrainerOptions& options) {
  check_training(model, config, options, 0);
}

/// The settings, once they are known to be valid for this model.
static const TrainConfig& validated(const TrainConfig& config, const AnyModel& model, const TrainerOptions& options) {
  check_training(model.summary(), config, options, static_cast<double>(model.parameter_count()) * sizeof(float));
  return config;
}

Trainer::Run::Run(AnyModel& model, const TrainConfig& config, const std::string& dir, const TrainerOptions& options)
    : config_(validated(config, model, options)),
      length_(config.window_length(model.summary())),
      step_(model, config_, length_, options),
      files_(dir) {
  const Index size = step_.bytes_per_step();
  steps_ = config.budget.bytes > 0 ? (config.budget.bytes - 1) / size + 1 : config.budget.steps;
  gflop_per_byte_ = 3e-9 * model.flops({1, length_}) / static_cast<double>(length_);
}

Trainer::Run::Run(AnyModel& model, const TrainConfig& config, const DataConfig& data, const std::string& dir,
                  const TrainerOptions& options)
    : Run(model, config, dir, options) {
  data_config_ = data;
  files_of_data_.emplace(data);
  valid_ = files_of_data_->valid();
  sampler_ = std::make_unique<RandomWindows>(files_of_data_->train(), length_, config.data_key());
  describe_data();
}

Trainer::Run::Run(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
                  const std::string& dir, const TrainerOptions& options)
    : Run(model, config, dir, options) {
  valid_ = valid;
  sampler_ = std::move(sampler);
  describe_data();
}

void Trainer::Run::describe_data() {
  check(config_.patience == 0 || has_valid(), "patience is ", config_.patience,
        ", and there is no validation to wait for; name validation data, or leave patience at 0");
  data_ = {{"train", sampler_->describe()}, {"valid", valid_.describe()}};
}

void Trainer::Run::resume() {
  check(!started_, "resume() comes before run()");
  files_.lock();  // first: whoever still trains there moves what is read here
  if (files_.has_state()) {
    counters_ = detail::load_state(files_.state(), settings(), {steps_, step_.bytes_per_step()}, step_.tensors());
    check(counters_.finished == 0 || trained(), files_.state(), ": run.finished is 1 after step ", counters_.step,
          ", where the run is not done; the state is damaged or was edited: put an undamaged copy in its place");
    saved_step_ = counters_.step;
    update_rates();
  } else {
    // Killed before its first checkpoint, that of step 0: the run starts anew, with the settings that it was started with.
    const RunConfig begun = load_run_config(files_.dir());
    check(files_.untrained(), files_.dir(), " has lost its state.safetensors and cannot be resumed; start a run in another ",
          "folder, from the weights in this one to keep what they learned");
    check(begun.data == data_config_ && begun.train.init == config_.init, files_.dir(), " holds a run that was killed at ",
          "its start; it can be resumed only with the same data and the same weights to start from");
    const std::string different = detail::differences(detail::result_settings(begun.model, begun.train, data_), settings());
    check(different.empty(), "resuming with other settings would change the result: ", different);
  }
  resumed_ = true;
}

Progress Trainer::Run::progress() const {
  Progress p;
  p.step = counters_.step;
  p.steps = steps_;
  p.bytes = counters_.bytes;
  p.seconds = counters_.seconds;
  p.fraction = std::min(1.0, share_used());
  p.seconds_left = steps_ == 0          ? std::max(0.0, 60 * config_.budget.minutes - counters_.seconds)
                   : counters_.step > 0 ? counters_.seconds * static_cast<double>(steps_ - counters_.step) /
                                              static_cast<double>(counters_.step)
                                        : 0;
  p.train_bpb = train_bpb_;
  p.lr = counters_.lr;
  p.grad_norm = counters_.grad_norm;
  p.bytes_per_second = bytes_per_second_;
  p.gflops = gflop_per_byte_ * bytes_per_second_;
  p.logged = logged_;
  if (counters_.valid.step >= 0) p.valid = counters_.valid;
  if (counters_.best.step >= 0) p.best = counters_.best;
  return p;
}

Trainer::Trainer(AnyModel& model, const TrainConfig& config, const DataConfig& data, std::string run_dir,
                 const TrainerOptions& options)
    : run_(std::make_unique<Run>(model, config, data, run_dir, options)) {}

Trainer::Trainer(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
                 std::string run_dir, const TrainerOptions& options)
    : run_(std::make_unique<Run>(model, config, std::move(sampler), valid, run_dir, options)) {}

Trainer::~Trainer() = default;

void Trainer::resume() { run_->resume(); }
Progress Trainer::progress() const { return run_->progress(); }
const AnyModel& Trainer::result() const { return run_->result(); }
TrainResult Trainer::run(const Report& report) { return run_->run(report); }

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/trainer.h"

#include <algorithm>
#include <filesystem>

#include "megalith/core/check.h"
#include "megalith/runtime/machine_memory.h"
#include "megalith/train/stream_windows.h"
#include "megalith/train/training_memory.h"
#include "trainer_run.h"

namespace megalith {

/// `held` is what has its memory already, in bytes: the weights of a model that was made.
static void check_training(const ModelSummary& model, const TrainConfig& config, const TrainerOptions& options,
                           double held) {
  config.validate(model);
  check(options.threads >= 1 && options.threads <= Team::kMaxThreads, "threads is ", options.threads,
        ", and must be from 1 to ", Team::kMaxThreads);
  check(options.optimizer != nullptr, "the options of the trainer make no optimiser; give a function that makes one");
  // A stream is trained on alone. Each has a State, which a checkpoint copies; there are those before the windows over which
  // the gradient flows back, their gradient, and that of the tape.
  const Index length = config.window_length(model), states = 2 * config.batch * config.accumulate + config.carry + 1;
  const double windows = static_cast<double>(length) * static_cast<double>(config.carry) * 5;  // a byte and its loss
  const TrainingMemory memory = training_memory(model, {config.stream ? 1 : config.batch, length}, config.average > 0,
                                                options.threads, options.optimizer(config, {})->bytes_per_parameter());
  const double of_streams = config.stream ? model.state_bytes(states, length) + windows : 0;
  check_memory(text("training on batches of ", config.batch, " x ", length, " bytes"), memory.total() + of_streams - held);
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
      schedule_(options.schedule),
      validate_(options.validation),
      length_(config.window_length(model.summary())),
      record_(model.record()),
      step_(model, config_, length_, options),
      files_(dir) {
  check(!dir.empty(), "the folder of the run has no name; give one");
  const Index size = step_.bytes_per_step();
  steps_ = config.budget.bytes > 0 ? (config.budget.bytes - 1) / size + 1 : config.budget.steps;
  gflop_per_byte_ = 3e-9 * flops_per_byte(model.summary(), length_);
}

Trainer::Run::Run(AnyModel& model, const TrainConfig& config, const DataConfig& data, const std::string& dir,
                  const TrainerOptions& options)
    : Run(model, config, dir, options) {
  open_data(data);
}

void Trainer::Run::open_data(const DataConfig& data) {
  data_config_ = data;
  files_of_data_.emplace(data, record_.bytes);
  valid_ = files_of_data_->valid();
  sampler_ = make_sampler();
  describe_data();
}

std::unique_ptr<const BatchSampler> Trainer::Run::make_sampler() const {
  const std::vector<WeightedSource> sources = files_of_data_->sources();
  if (config_.stream) {
    check(sources.empty(), "the data have weights, and a stream reads all of them in order; leave out the weights or train ",
          "on windows");
    return std::make_unique<StreamWindows>(files_of_data_->train(),
                                           StreamWindowsConfig{.streams = config_.batch * config_.accumulate,
                                                               .length = length_ * config_.carry,
                                                               .unit = step_.model().unit(),
                                                               .across_files = config_.across_files});
  }
  if (sources.empty()) return make_windows(files_of_data_->train(), length_, config_.data_key(), record_);
  for (std::size_t i = 0; i < sources.size(); ++i)
    check(sources[i].data.size() >= length_, "the training data of ", data_config_.train[i], " have ",
          sources[i].data.size(), " bytes, fewer than one window of ", length_,
          "; add data to them, leave them out or shorten the window");
  return std::make_unique<WeightedWindows>(sources, length_, config_.data_key(), record_);
}

Trainer::Run::Run(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
                  const std::string& dir, const TrainerOptions& options)
    : Run(model, config, dir, options) {
  check(sampler != nullptr, "the sampler of the trainer is a null pointer; give one");
  valid_ = valid;
  sampler_ = std::move(sampler);
  describe_data();
}

void Trainer::Run::describe_data() {
  check(!validate_ || valid_.size() == 0, "validation has data and a function of the program's own; give one of them");
  check(config_.patience == 0 || has_valid(), "patience is ", config_.patience,
        ", and there is no validation to wait for; name validation data, or leave patience at 0");
  data_ = {{"train", sampler_->describe()}, {"valid", validate_ ? "by a function" : valid_.describe()}};
}

/// Refuses a folder for a new run in which files of the data lie, or which is a folder of the data itself: what the run
/// writes would be data, and its folder is none once it is a run.
void Trainer::Run::check_is_outside_of_data() const {
  namespace fs = std::filesystem;
  std::error_code error;
  if (files_.has_config()) return;  // a run, which another sentence refuses
  const fs::path run = fs::weakly_canonical(files_.dir(), error);
  std::vector<std::string> paths = data_config_.train;
  paths.insert(paths.end(), data_config_.valid.begin(), data_config_.valid.end());
  for (const std::string& path : paths) {
    if (!fs::is_directory(path, error)) continue;
    const fs::path data = fs::weakly_canonical(path, error);
    const bool inside = std::mismatch(data.begin(), data.end(), run.begin(), run.end()).first == data.end();
    if (!inside || (data != run && !fs::exists(run, error))) continue;
    bool holds_files = data == run;
    for (fs::recursive_directory_iterator i(run, error), end; !holds_files && !error && i != end; i.increment(error))
      holds_files = i->is_regular_file(error) && i->file_size(error) > 0;
    check(!holds_files, "the folder of the run, ", files_.dir(), ", is in the data, ", path, ", and holds files of them",
          "; choose another folder for the run, such as a new one");
  }
}

/// Whether the state may be of a smaller budget. One that was made longer has the new budget in config.json before its first
/// checkpoint has it.
bool Trainer::Run::may_be_longer(Resume how) const {
  return how == Resume::longer || (files_.has_config() && load_run_config(files_.dir()).train.budget == config_.budget);
}

void Trainer::Run::resume(Resume how) {
  check(!started_, "resume() comes before run()");
  files_.lock();                                // first: whoever still trains there moves what is read here
  if (files_of_data_ && files_.has_config()) {  // a run of an older version holds out other bytes, and its files say so
    const DataConfig begun = load_run_config(files_.dir()).data;
    if (begun.spread != data_config_.spread || begun.skip_runs != data_config_.skip_runs) {
      DataConfig data = data_config_;
      data.spread = begun.spread;
      data.skip_runs = begun.skip_runs;
      open_data(data);
    }
  }
  if (files_.has_state()) {
    const bool longer = may_be_longer(how);
    counters_ = detail::load_state(files_.state(), settings(), {steps_, step_.bytes_per_step(), longer}, step_.tensors());
    check(how != Resume::longer || !out_of_patience(), files_.dir(), " holds a run that ended because its ",
          config_.patience,
          " last validations brought no new best; to go on from its weights, start a run from them in another folder");
    check(counters_.finished == 0 || trained(), files_.state(), ": run.finished is 1 after step ", counters_.step,
          ", where the run is not done; the state is damaged or was edited: put an undamaged copy in its place");
    saved_step_ = counters_.step;
    update_rates();
  } else {
    // Killed before its first checkpoint, that of step 0: the run starts anew, with the settings that it was started with.
    RunConfig begun = load_run_config(files_.dir());
    if (how == Resume::longer) begun.train.budget = config_.budget;
    check(files_.untrained(), files_.dir(), " has lost its state.safetensors and cannot be resumed; start a run in another ",
          "folder, from the weights in this one to keep what they learned");
    check(begun.data == data_config_ && begun.train.init == config_.init, files_.dir(), " holds a run that was killed at ",
          "its start; it can be resumed only with the same data and the same weights to start from");
    const std::string different = detail::differences(settings(begun.model, begun.train), settings());
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

void Trainer::resume(Resume how) { run_->resume(how); }
Progress Trainer::progress() const { return run_->progress(); }
const AnyModel& Trainer::result() const { return run_->result(); }
TrainResult Trainer::run(const Report& report) { return run_->run(report); }

}  // namespace megalith

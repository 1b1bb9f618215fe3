// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/trainer.h"

#include <chrono>
#include <cmath>
#include <numbers>

#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"
#include "megalith/train/training_data.h"
#include "run_config_json.h"
#include "run_files.h"
#include "run_state.h"
#include "train_step.h"

namespace megalith {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

const TrainConfig& checked(const TrainConfig& config, const ModelConfig& model, int threads) {
  config.validate(model);
  check(threads >= 1, "threads is ", threads, ", and must be 1 or more");
  return config;
}

}  // namespace

/// The run of one Trainer. A step ends with its line of metrics and its checkpoint, where they are due.
class Trainer::Run {
 public:
  Run(AnyModel& model, const TrainConfig& config, const DataConfig& data, std::string dir, int threads)
      : Run(model, config, dir, threads) {
    data_config_ = data;
    files_of_data_.emplace(data);
    valid_ = files_of_data_->valid();
    sampler_ = std::make_unique<RandomWindows>(files_of_data_->train(), length_, config.data_key());
    describe_data();
  }
  Run(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
      std::string dir, int threads)
      : Run(model, config, dir, threads) {
    valid_ = valid;
    sampler_ = std::move(sampler);
    describe_data();
  }

  void resume();
  TrainResult run(const Report& report);
  Progress progress() const;

 private:
  Run(AnyModel& model, const TrainConfig& config, const std::string& dir, int threads)
      : config_(checked(config, model.config(), threads)),
        length_(config.length > 0 ? config.length : model.config().length),
        step_(model, config_, length_, threads),
        files_(dir) {
    const Index size = step_.bytes_per_step();
    steps_ = config.budget.bytes > 0 ? (config.budget.bytes - 1) / size + 1 : config.budget.steps;
    gflop_per_byte_ = 3e-9 * model.flops({1, length_}) / static_cast<double>(length_);
  }

  void describe_data() { data_ = {{"train", sampler_->describe()}, {"valid", valid_.describe()}}; }
  nlohmann::json settings() const { return detail::result_settings(step_.model().config(), config_, data_); }
  double share_used() const {
    return steps_ > 0 ? static_cast<double>(c_.step) / static_cast<double>(steps_)
                      : c_.seconds / (60 * config_.budget.minutes);
  }
  bool has_valid() const { return valid_.size() > 0; }

  void begin();
  void train_step();
  void update_rates();
  void end_step(const Report& report);
  TrainResult finish(const Report& report);
  Evaluation validate(std::int64_t max_bytes, const Report& report, bool may_stop);
  void keep_best();
  void write_line(bool validated);
  void save();
  [[noreturn]] void fail(std::int64_t step, const char* what, double value) const;

  TrainConfig config_;
  DataConfig data_config_;
  Index length_;
  std::optional<TrainingData> files_of_data_;
  CorpusSlice valid_{};
  std::unique_ptr<const BatchSampler> sampler_;
  nlohmann::json data_;  // says which data these are; taken once: data that change while the run goes on are not its data
  detail::TrainStep step_;
  detail::RunFiles files_;

  std::int64_t steps_ = 0;  // 0 where the budget is in minutes
  double gflop_per_byte_ = 0;
  detail::Counters c_;
  double train_bpb_ = 0, bytes_per_second_ = 0;  // over the steps since the last line
  bool logged_ = false, started_ = false, resumed_ = false, stop_asked_ = false;
  std::int64_t saved_step_ = -1;  // of the checkpoint on the disk; -1: none
  Clock::time_point saved_at_{};
};

void Trainer::Run::resume() {
  check(!started_, "resume() comes before run()");
  files_.lock();  // first: whoever still trains there moves what is read here
  if (files_.has_state()) {
    c_ = detail::load_state(files_.state(), settings(), step_.tensors());
    saved_step_ = c_.step;
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

void Trainer::Run::begin() {
  check(!started_, "a trainer runs once; make another one and resume() the run");
  started_ = true;
  const RunConfig config{step_.model().config(), config_, data_config_};
  // The weights before the files: a wrong --init leaves no run behind.
  if (saved_step_ < 0) {
    if (!config_.init.empty()) load_parameters(config_.init, step_.model());
    check(step_.finite(*sampler_, 0), "the model gives costs that are not finite numbers before the first step; start from ",
          "other weights", config_.init.empty() ? "" : " than those of ", config_.init);
  }
  if (resumed_) c_.lines = files_.take_up(config, c_.lines);
  else files_.begin(config);
  if (saved_step_ >= 0) {
    saved_at_ = Clock::now();
    return;
  }
  step_.restart_average();
  // A checkpoint of step 0: a disk without room for it says so now, and from here on a missing state is a loss, not a start.
  save();
}

TrainResult Trainer::Run::run(const Report& report) {
  const detail::EndOfWork end_of_work(files_);
  begin();
  while (share_used() < 1) {
    train_step();
    const bool last = share_used() >= 1;
    if (!last) end_step(report);
    if (report && report(progress()) == Control::stop) stop_asked_ = true;
    // After the last step the validation over everything may take long: whoever interrupts it loses nothing.
    const bool due = config_.save_every_minutes > 0 && seconds_since(saved_at_) >= 60 * config_.save_every_minutes;
    if (last || due || stop_asked_) save();
    if (stop_asked_) return {true, progress()};
  }
  return finish(report);
}

void Trainer::Run::train_step() {
  const Clock::time_point start = Clock::now();
  logged_ = false;
  c_.lr = learning_rate(config_.schedule, c_.step, share_used());
  const detail::TrainStep::Result result = step_.gradient(*sampler_, c_.step);
  c_.grad_norm = result.grad_norm;
  if (!std::isfinite(result.nats)) fail(c_.step + 1, "the loss", result.nats);
  if (!std::isfinite(result.grad_norm)) fail(c_.step + 1, "the gradient", result.grad_norm);
  step_.update(c_.step, c_.lr, c_.grad_norm);

  const double seconds = seconds_since(start);
  ++c_.step;
  c_.bytes += step_.bytes_per_step();
  c_.seconds += seconds;
  c_.line_nats += result.nats;
  c_.line_bytes += step_.bytes_per_step();
  c_.line_seconds += seconds;
  update_rates();
}

void Trainer::Run::update_rates() {
  if (c_.line_bytes == 0) return;
  train_bpb_ = c_.line_nats / std::numbers::ln2 / static_cast<double>(c_.line_bytes);
  bytes_per_second_ = static_cast<double>(c_.line_bytes) / c_.line_seconds;
}

/// What a step but the last ends with.
void Trainer::Run::end_step(const Report& report) {
  const bool validation = has_valid() && config_.eval_every > 0 && c_.step % config_.eval_every == 0;
  if (validation) {
    validate(config_.eval_bytes, report, false);
    keep_best();
  }
  if (validation || c_.step % config_.log_every == 0) write_line(validation);
}

TrainResult Trainer::Run::finish(const Report& report) {
  if (c_.finished != 0) return {false, progress()};
  if (has_valid()) {
    // The best is chosen on the sample, which is the same for all steps; the value that counts is that of everything.
    const bool sampled = config_.eval_every > 0 && config_.eval_bytes > 0 && config_.eval_bytes < valid_.size();
    if (sampled) {
      if (validate(config_.eval_bytes, report, true).stopped) return {true, progress()};
      keep_best();
    }
    if (validate(0, report, true).stopped) return {true, progress()};
    if (!sampled) keep_best();
  }
  write_line(has_valid());
  c_.finished = 1;
  save();
  if (report) report(progress());
  return {false, progress()};
}

/// Sets c_.valid, unless the report ends it early, which it can where `may_stop`; elsewhere it stops the run after the step.
Evaluation Trainer::Run::validate(std::int64_t max_bytes, const Report& report, bool may_stop) {
  EvaluateConfig how{.length = length_, .max_bytes = max_bytes, .costs = {}, .progress = {}};
  if (report)
    how.progress = [&](std::int64_t done, std::int64_t total) {
      Progress now = progress();
      now.phase = Phase::validating;
      now.phase_fraction = static_cast<double>(done) / static_cast<double>(total);
      if (report(now) == Control::stop) stop_asked_ = true;
      return stop_asked_ && may_stop ? Control::stop : Control::go_on;
    };
  const Evaluation result = evaluate(step_.result(), step_.workspace(), valid_, how);
  if (result.stopped) return result;
  if (!std::isfinite(result.bits)) fail(c_.step, "the validation", result.bits_per_byte());
  c_.valid = {result.bits_per_byte(), result.bytes, c_.step};
  return result;
}

void Trainer::Run::keep_best() {
  // A value on another sample (of a resumed run with other eval_bytes) says nothing about this one.
  const bool comparable = c_.best.step >= 0 && c_.best.bytes == c_.valid.bytes;
  if (comparable && c_.best.bits_per_byte <= c_.valid.bits_per_byte) return;
  c_.best = c_.valid;
  save_model(files_.best(), step_.result(), {{"step", std::to_string(c_.step)}});
}

void Trainer::Run::write_line(bool validated) {
  nlohmann::ordered_json line{{"step", c_.step},
                              {"bytes", c_.bytes},
                              {"seconds", c_.seconds},
                              {"train_bpb", train_bpb_},
                              {"lr", c_.lr},
                              {"grad_norm", c_.grad_norm},
                              {"bytes_per_second", bytes_per_second_}};
  if (validated) {
    line["valid_bpb"] = c_.valid.bits_per_byte;
    line["valid_bytes"] = c_.valid.bytes;
  }
  files_.append_metrics(line.dump());
  ++c_.lines;
  c_.line_nats = c_.line_seconds = 0;
  c_.line_bytes = 0;
  logged_ = true;
}

void Trainer::Run::save() {
  // Weights can be numbers and still give none: such a checkpoint must not replace a good one.
  if (c_.step > 0 && saved_step_ != c_.step && !step_.finite(*sampler_, c_.step))
    fail(c_.step, "the loss after the step", NAN);
  files_.sync_metrics();
  // The model first: the state says how far the run is, and never further than the model.
  save_model(files_.model(), step_.result(), {{"step", std::to_string(c_.step)}});
  detail::save_state(files_.state(), settings(), c_, step_.tensors());
  saved_step_ = c_.step;
  saved_at_ = Clock::now();
}

void Trainer::Run::fail(std::int64_t step, const char* what, double value) const {
  const std::string kept = saved_step_ >= 0 ? text("the checkpoint of step ", saved_step_, " stays in ", files_.dir())
                                            : std::string("no checkpoint was saved yet");
  throw Error(text("training stopped at step ", step, ": ", what, " is ", value, ", not a finite number (learning rate ",
                   c_.lr, ", gradient norm ", c_.grad_norm, "); ", kept,
                   "; a lower learning rate or a longer warm-up may help"));
}

Progress Trainer::Run::progress() const {
  Progress p;
  p.step = c_.step;
  p.steps = steps_;
  p.bytes = c_.bytes;
  p.seconds = c_.seconds;
  p.fraction = std::min(1.0, share_used());
  p.seconds_left = steps_ == 0   ? std::max(0.0, 60 * config_.budget.minutes - c_.seconds)
                   : c_.step > 0 ? c_.seconds * static_cast<double>(steps_ - c_.step) / static_cast<double>(c_.step)
                                 : 0;
  p.train_bpb = train_bpb_;
  p.lr = c_.lr;
  p.grad_norm = c_.grad_norm;
  p.bytes_per_second = bytes_per_second_;
  p.gflops = gflop_per_byte_ * bytes_per_second_;
  p.logged = logged_;
  if (c_.valid.step >= 0) p.valid = c_.valid;
  if (c_.best.step >= 0) p.best = c_.best;
  return p;
}

Trainer::Trainer(AnyModel& model, const TrainConfig& config, const DataConfig& data, std::string run_dir, int threads)
    : run_(std::make_unique<Run>(model, config, data, std::move(run_dir), threads)) {}

Trainer::Trainer(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
                 std::string run_dir, int threads)
    : run_(std::make_unique<Run>(model, config, std::move(sampler), valid, std::move(run_dir), threads)) {}

Trainer::~Trainer() = default;

void Trainer::resume() { run_->resume(); }
Progress Trainer::progress() const { return run_->progress(); }
TrainResult Trainer::run(const Report& report) { return run_->run(report); }

}  // namespace megalith

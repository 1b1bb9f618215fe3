// SPDX-License-Identifier: Apache-2.0
#include "trainer_run.h"

#include <cmath>
#include <exception>
#include <numbers>
#include <utility>

#include "megalith/core/check.h"
#include "megalith/io/checkpoint.h"

namespace megalith {

static double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Trainer::Run::begin() {
  check(!started_, "a trainer runs once; make another one and resume() the run");
  started_ = true;
  const RunConfig config{step_.model().config(), config_, data_config_};
  // The weights before the files: a wrong --init leaves no run behind.
  if (saved_step_ < 0) {
    if (!resumed_) check_is_outside_of_data();
    if (!config_.init.empty()) load_parameters(config_.init, step_.model());
    check(step_.finite(*sampler_, 0), "the model's losses are not finite numbers before the first step; start from other ",
          "weights", config_.init.empty() ? "" : " than those of ", config_.init);
  }
  if (resumed_) counters_.lines = files_.take_up(config, counters_.lines);
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
  const Report guarded = [&](const Progress& p) { return ask([&] { return report(p); }); };
  asking_ = false;  // an earlier call may have ended inside one
  begin();
  detail::RunClock clock;
  clock_ = &clock;
  try {
    return train(report ? guarded : report);
  } catch (...) {
    if (asking_ && saved_step_ < counters_.step) {  // the program's functions come between steps and inside of validations
      try {
        save();
      } catch (const std::exception&) {  // the caller hears of what it threw itself
      }
    }
    throw;
  }
}

TrainResult Trainer::Run::train(const Report& report) {
  bool validation_left = stopped_in_validation();
  while (!trained()) {
    if (!std::exchange(validation_left, false)) train_step();
    if (!trained()) end_step(report);
    if (report && report(progress()) == Control::stop) stop_asked_ = true;
    // After the last step the validation over everything may take long: whoever interrupts it loses nothing.
    const bool due = config_.save_every_minutes > 0 && seconds_since(saved_at_) >= 60 * config_.save_every_minutes;
    if (trained() || due || stop_asked_) save();
    if (stop_asked_) return {.stopped = true, .progress = progress()};
  }
  return finish(report);
}

/// The learning rate of the next step.
double Trainer::Run::rate() {
  if (!schedule_) return learning_rate(config_.schedule, counters_.step, share_used());
  return ask([&] {
    const double factor = schedule_(counters_.step, share_used());
    check(std::isfinite(factor) && factor >= 0, "the program's own schedule gives ", factor, " in step ", counters_.step,
          ", and must give a finite number of at least 0");
    return config_.schedule.peak * factor;
  });
}

void Trainer::Run::train_step() {
  const double start = clock_->now();
  logged_ = false;
  counters_.lr = rate();
  const detail::TrainStep::Result result = step_.gradient(*sampler_, counters_.step);
  counters_.grad_norm = result.grad_norm;
  if (!std::isfinite(result.nats)) fail(counters_.step + 1, "the loss", result.nats);
  if (!std::isfinite(result.grad_norm)) fail(counters_.step + 1, "the gradient", result.grad_norm);
  step_.update(counters_.step, counters_.lr, counters_.grad_norm);

  const double seconds = clock_->now() - start;
  ++counters_.step;
  counters_.bytes += step_.bytes_per_step();
  counters_.seconds += seconds;
  counters_.line_nats += result.nats;
  counters_.line_bytes += step_.bytes_per_step();
  counters_.line_seconds += seconds;
  update_rates();
}

void Trainer::Run::update_rates() {
  if (counters_.line_bytes == 0) return;
  train_bpb_ = counters_.line_nats / std::numbers::ln2 / static_cast<double>(counters_.line_bytes);
  bytes_per_second_ = static_cast<double>(counters_.line_bytes) / counters_.line_seconds;
}

/// Whether the run was resumed from a step whose validation was stopped: that step has no line yet.
bool Trainer::Run::stopped_in_validation() const {
  return counters_.step > 0 && validation_due() && counters_.valid.step < counters_.step && counters_.line_bytes > 0;
}

/// The end of every step but the last: a validation and a line of metrics, where they are due.
void Trainer::Run::end_step(const Report& report) {
  const bool validation = validation_due();
  if (validation) {
    if (validate(sample_bytes(), report).stopped) return;
    keep_best();
  }
  if (out_of_patience()) return;  // finish() writes the line, with the validation over everything
  if (validation || counters_.step % config_.log_every == 0) write_line(validation);
}

TrainResult Trainer::Run::finish(const Report& report) {
  const auto result = [&](bool stopped) { return TrainResult{stopped, !stopped && share_used() < 1, progress()}; };
  if (counters_.finished != 0) {
    // Whoever resumes a run that is done may have lost its model or found it damaged: the state has all of it.
    save_model(files_.model(), step_.result(), {{"step", std::to_string(counters_.step)}});
    return result(false);
  }
  if (has_valid()) {
    // The best is chosen on the sample, which is the same for all steps; the value that counts is that of everything,
    // or of a larger sample.
    const bool sampled = config_.eval_every > 0 && sample_bytes() > 0;
    if (sampled && counters_.valid.step < counters_.step) {  // where patience ended, it was made
      if (validate(sample_bytes(), report).stopped) return result(true);
      keep_best();
    }
    if (validate(last_sample_bytes(), report).stopped) return result(true);
    if (!sampled) keep_best();
  }
  write_line(has_valid());
  counters_.finished = 1;
  save();
  if (report) report(progress());
  return result(false);
}

/// The same by the program's own function.
Evaluation Trainer::Run::validate_by_program(const Report& report) {
  if (report) {  // which shows what goes on, and may leave
    Progress now = progress();
    now.phase = Phase::validating;
    stop_asked_ = report(now) == Control::stop;
    if (stop_asked_) return {.stopped = true};
  }
  const Evaluation result = ask([&] {
    const Evaluation own = validate_(step_.result(), step_.workspace());
    check(own.stopped || own.bytes > 0, "the program's own validation gives ", own.bytes,
          " bytes, and must give those of which the bits are, 1 or more");
    return own;
  });
  stop_asked_ = stop_asked_ || result.stopped;
  return result;
}

/// Sets counters_.valid, unless the report ends it early, and the run with it.
Evaluation Trainer::Run::validate(std::int64_t max_bytes, const Report& report) {
  EvaluateConfig how{.length = length_, .max_bytes = max_bytes, .losses = {}, .progress = {}};
  if (report)
    how.progress = [&](std::int64_t done, std::int64_t total) {
      Progress now = progress();
      now.phase = Phase::validating;
      now.phase_fraction = static_cast<double>(done) / static_cast<double>(total);
      if (report(now) == Control::stop) stop_asked_ = true;
      return stop_asked_ ? Control::stop : Control::go_on;
    };
  const Evaluation result =
      validate_ ? validate_by_program(report) : evaluate(step_.result(), step_.workspace(), valid_, how);
  if (result.stopped) return result;
  if (!std::isfinite(result.bits)) fail(counters_.step, "the validation", result.bits_per_byte());
  counters_.valid = {result.bits_per_byte(), result.bytes, counters_.step};
  return result;
}

void Trainer::Run::keep_best() {
  // A value on another sample (of a resumed run with other eval_bytes) says nothing about this one.
  const bool comparable = counters_.best.step >= 0 && counters_.best.bytes == counters_.valid.bytes;
  if (comparable && counters_.best.bits_per_byte <= counters_.valid.bits_per_byte) return;
  counters_.best = counters_.valid;
  save_model(files_.best(), step_.result(), {{"step", std::to_string(counters_.step)}});
}

void Trainer::Run::write_line(bool validated) {
  nlohmann::ordered_json line{{"step", counters_.step},
                              {"bytes", counters_.bytes},
                              {"seconds", counters_.seconds},
                              {"train_bpb", train_bpb_},
                              {"lr", counters_.lr},
                              {"grad_norm", counters_.grad_norm},
                              {"bytes_per_second", bytes_per_second_}};
  if (validated) {
    line["valid_bpb"] = counters_.valid.bits_per_byte;
    line["valid_bytes"] = counters_.valid.bytes;
  }
  files_.append_metrics(line.dump());
  ++counters_.lines;
  counters_.line_nats = counters_.line_seconds = 0;
  counters_.line_bytes = 0;
  logged_ = true;
}

void Trainer::Run::save() {
  // Finite weights can still give losses that are not finite: such a checkpoint must not replace a good one.
  if (counters_.step > 0 && saved_step_ != counters_.step && !step_.finite(*sampler_, counters_.step))
    fail(counters_.step, "the loss after the step", NAN);
  files_.sync_metrics();
  // The model first: the state says how far the run is, and never further than the model.
  save_model(files_.model(), step_.result(), {{"step", std::to_string(counters_.step)}});
  detail::save_state(files_.state(), settings(), counters_, step_.tensors());
  saved_step_ = counters_.step;
  saved_at_ = Clock::now();
}

void Trainer::Run::fail(std::int64_t step, const char* what, double value) const {
  const std::string kept = saved_step_ >= 0 ? text("the checkpoint of step ", saved_step_, " stays in ", files_.dir())
                                            : std::string("no checkpoint was saved yet");
  throw Error(text("training stopped at step ", step, ": ", what, " is ", value, ", not a finite number (learning rate ",
                   counters_.lr, ", gradient norm ", counters_.grad_norm, "); ", kept,
                   "; a lower learning rate or a longer warm-up may help"));
}

}  // namespace megalith

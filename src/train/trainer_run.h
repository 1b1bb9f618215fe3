// SPDX-License-Identifier: Apache-2.0
// What a Trainer holds. trainer.cpp sets a run up, takes it up again and tells where it stands; trainer_run.cpp runs it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "megalith/train/run_config.h"
#include "megalith/train/trainer.h"
#include "megalith/train/training_data.h"
#include "run_clock.h"
#include "run_config_json.h"
#include "run_files.h"
#include "run_state.h"
#include "train_step.h"

namespace megalith {

/// The run of one Trainer. A step ends with its line of metrics and its checkpoint, where they are due.
class Trainer::Run {
 public:
  Run(AnyModel& model, const TrainConfig& config, const DataConfig& data, const std::string& dir,
      const TrainerOptions& options);
  Run(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
      const std::string& dir, const TrainerOptions& options);

  void resume(Resume how);
  TrainResult run(const Report& report);
  Progress progress() const;
  const AnyModel& result() { return step_.result(); }

 private:
  using Clock = std::chrono::steady_clock;

  Run(AnyModel& model, const TrainConfig& config, const std::string& dir, const TrainerOptions& options);

  void open_data(const DataConfig& data);
  std::unique_ptr<const BatchSampler> make_sampler() const;
  void describe_data();
  void check_is_outside_of_data() const;
  bool may_be_longer(Resume how) const;
  /// The settings that decide the result of the run, were it begun with these.
  nlohmann::json settings(const ModelConfig& model, const TrainConfig& train) const {
    nlohmann::json all = detail::result_settings(model, train, data_);
    if (schedule_) all["train"]["schedule"]["function"] = true;
    return all;
  }
  nlohmann::json settings() const { return settings(step_.model().config(), config_); }
  double share_used() const {
    return steps_ > 0 ? static_cast<double>(counters_.step) / static_cast<double>(steps_)
                      : counters_.seconds / (60 * config_.budget.minutes);
  }
  bool has_valid() const { return validate_ || valid_.size() > 0; }
  bool validation_due() const { return has_valid() && config_.eval_every > 0 && counters_.step % config_.eval_every == 0; }
  /// Bytes of the sample for validations during the run; 0 means all, also where the sample would be as large as the data:
  /// it would still leave out ends of files.
  std::int64_t sample_bytes() const { return config_.eval_bytes < valid_.size() ? config_.eval_bytes : 0; }
  /// The same of the last validation, which reads everything where that is no more work than a twelfth of the training: a
  /// megabyte it always reads.
  std::int64_t last_sample_bytes() const {
    if (config_.eval_bytes == 0) return 0;
    const std::int64_t most = std::max({config_.eval_bytes, std::int64_t{1} << 20, counters_.bytes / 4});
    return most < valid_.size() ? most : 0;
  }
  /// Whether the best validation is `patience` validations before the latest. A checkpoint has the steps of both, and a run
  /// with patience keeps its intervals: so a resumed run stops at the same step as an uninterrupted one.
  bool out_of_patience() const {
    return config_.patience > 0 && counters_.best.step >= 0 &&
           counters_.valid.step - counters_.best.step >= config_.patience * config_.eval_every;
  }
  bool trained() const { return share_used() >= 1 || out_of_patience(); }

  TrainResult train(const Report& report);
  void begin();
  /// Calls a function of the program's own: where it throws, run() saves.
  template <class F>
  auto ask(F&& f) {
    asking_ = true;
    const auto answer = f();
    asking_ = false;
    return answer;
  }
  double rate();
  void train_step();
  void update_rates();
  bool stopped_in_validation() const;
  void end_step(const Report& report);
  TrainResult finish(const Report& report);
  Evaluation validate(std::int64_t max_bytes, const Report& report);
  Evaluation validate_by_program(const Report& report);
  void keep_best();
  void write_line(bool validated);
  void save();
  [[noreturn]] void fail(std::int64_t step, const char* what, double value) const;

  TrainConfig config_;
  DataConfig data_config_;
  Schedule schedule_;
  Validate validate_;
  Index length_;
  RecordConfig record_;
  std::optional<TrainingData> files_of_data_;
  CorpusSlice valid_{};
  std::unique_ptr<const BatchSampler> sampler_;
  nlohmann::json data_;  // describes the data as they were at the start, also if files change during the run
  detail::TrainStep step_;
  detail::RunFiles files_;

  std::int64_t steps_ = 0;  // 0 where the budget is in minutes
  double gflop_per_byte_ = 0;
  detail::Counters counters_;
  double train_bpb_ = 0, bytes_per_second_ = 0;  // over the steps since the last line
  bool logged_ = false, started_ = false, resumed_ = false, stop_asked_ = false;
  bool asking_ = false;                // a function of the program's own is at work
  detail::RunClock* clock_ = nullptr;  // while it runs
  std::int64_t saved_step_ = -1;       // of the checkpoint on the disk; -1: none
  Clock::time_point saved_at_{};
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Training: the loop over steps, and the files of a run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "megalith/models/any_model.h"
#include "megalith/runtime/processors.h"
#include "megalith/train/batch_sampler.h"
#include "megalith/train/evaluate.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/train_config.h"

namespace megalith {

/// What a run is doing when it reports.
enum class Phase { training, validating };

/// A validation of the run: its value, its size, and the step after which it was made.
struct Validation {
  double bits_per_byte = 0;
  std::int64_t bytes = 0;
  std::int64_t step = 0;
};

/// Where a run stands. Rates are over the steps since the line of metrics.jsonl before.
struct Progress {
  Phase phase = Phase::training;
  double phase_fraction = 0;  // of a validation: the share that is done

  std::int64_t step = 0;    // steps done
  std::int64_t steps = 0;   // steps in all; 0 where the budget is in minutes
  std::int64_t bytes = 0;   // bytes trained on: those that were predicted (ModelSummary::predicted)
  double seconds = 0;       // of training, those before a resume included; see Budget::minutes
  double fraction = 0;      // of the budget
  double seconds_left = 0;  // of training, an estimate

  double train_bpb = 0;
  double lr = 0;         // of the last step
  double grad_norm = 0;  // of the last step, before clipping
  double bytes_per_second = 0;
  double gflops = 0;  // per second: matrix products, forward counted three times

  bool logged = false;              // a line of metrics.jsonl was written for this step
  std::optional<Validation> valid;  // the latest
  std::optional<Validation> best;   // the best of those on the sample: best.safetensors
};

/// Called after each step and during validations, on the thread that runs the training.
using Report = std::function<Control(const Progress&)>;

struct TrainResult {
  bool stopped = false;          // by the callback: resume() continues
  bool out_of_patience = false;  // done before the budget was used: TrainConfig::patience
  Progress progress;
};

/// Which budget a run that is resumed may have.
enum class Resume {
  same_budget,  // that with which it was begun
  longer,  // also a larger one of the same kind: a run that is done goes on then. Its schedule follows the new budget from
           // there on, so the learning rate rises again, and the run ends otherwise than one with that budget from the start
};

/// A schedule of a program's own: the factor of TrainConfig::schedule.peak in step `step` (from 0), before which the share
/// `progress` of the budget was used (0 to 1); a finite number of at least 0.
using Schedule = std::function<double(std::int64_t step, double progress)>;

/// A validation of a program's own: the loss of whatever it likes under the model as users will load it, in bits, and of how
/// many bytes it is, 1 or more. The lower the bits per byte, the better: they decide best.safetensors and the end by
/// patience. Two validations can be compared only where their bytes are as many. `stopped` stops the run.
using Validate = std::function<Evaluation(const AnyModel& model, Workspace& workspace)>;

/// What a trainer is given that is not a setting of the run: config.json does not have it. A resumed run needs the same.
struct TrainerOptions {
  int threads = default_threads();
  /// Makes the optimiser; state.safetensors says which.
  OptimizerFactory optimizer = make_optimizer;
  /// Takes the place of what TrainConfig::schedule says of warm-up and decay. The state says only that there is one: a run
  /// that is resumed without it is refused, one with another function is not.
  Schedule schedule{};
  /// Takes the place of validation data; it is asked every eval_every steps and at the end. The state says that there is
  /// one.
  Validate validation{};
};

/// Throws Error when a setting is not valid, or when the training needs more memory than this machine has. A Trainer checks
/// the same; this is for programs that want to know before they make the model.
void check_training(const ModelSummary& model, const TrainConfig& config, const TrainerOptions& options = {});

/// Trains a model and keeps a run directory:
///
///   config.json        the RunConfig
///   model.safetensors  the model as users load it: the averaged weights where averaging is on
///   best.safetensors   the same, of the best validation
///   state.safetensors  all that resuming needs
///   metrics.jsonl      a line every log_every steps, at validations and at the end
///
/// A checkpoint is the model first, then the state, each replaced as a whole; a run killed at any moment resumes. With a
/// budget in steps or bytes, a run that was stopped or killed and resumed ends with the same bits as one that was not:
/// weights and metrics (but `seconds` and `bytes_per_second`). So does a run on another number of threads. A loss or
/// gradient that is not finite throws Error and leaves the last good checkpoint. The trainer prints nothing and installs no
/// signal handler.
class Trainer {
 public:
  /// Trains `model`, which must outlive the trainer, from the weights that it has (or those of config.init). Throws Error
  /// when a setting or the data are not valid, or when the training needs more memory than this machine has. Writes nothing
  /// yet.
  Trainer(AnyModel& model, const TrainConfig& config, const DataConfig& data, std::string run_dir,
          const TrainerOptions& options = {});
  /// The same with a sampler and validation data (an empty slice: none) of one's own.
  Trainer(AnyModel& model, const TrainConfig& config, std::unique_ptr<const BatchSampler> sampler, CorpusSlice valid,
          std::string run_dir, const TrainerOptions& options = {});
  ~Trainer();

  /// Continues the run in the run directory from its last checkpoint; call before run(). If no checkpoint was written yet,
  /// the run starts over. If the run is finished, run() only rewrites model.safetensors. The data may have moved. What of
  /// them is held out, and whether folders of runs count (DataConfig), is as in the run's config.json. Throws Error
  ///   - when there is no run, or somebody else trains in its directory;
  ///   - when its state is lost, damaged or edited, naming each value that is out of range;
  ///   - when a setting, the model, the optimiser or the data (sizes and samples of the bytes) differ in a way that would
  ///     change the result, naming both values.
  void resume(Resume how = Resume::same_budget);

  /// Where the run stands; after resume(), where it goes on.
  Progress progress() const;

  /// The model as users will load it: the averaged weights where averaging is on. run() may replace it when it begins; ask
  /// again then. It may be read in the callback of run().
  const AnyModel& result() const;

  /// Trains until the budget or the patience is used up, or the callback answers stop: then the run is saved. A validation
  /// that is stopped is discarded, and the resumed run begins with it. Where the callback or a function of the
  /// TrainerOptions throws, the run is saved as well, and what it threw comes through. Throws Error before the first step
  /// when the run directory cannot be written, or holds a run already and resume() was not called.
  TrainResult run(const Report& report = {});

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The settings of a training run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "megalith/core/precision.h"
#include "megalith/core/random.h"
#include "megalith/models/model_summary.h"
#include "megalith/train/adamw.h"
#include "megalith/train/schedule.h"

namespace megalith {

/// How long to train: exactly one of the three is above 0.
struct Budget {
  std::int64_t steps = 0;
  std::int64_t bytes = 0;  // that are predicted (ModelSummary::predicted): of most models all; rounded up to whole steps
  double minutes = 0;      // of training; validation, saving and a process that is stopped stop the clock

  bool operator==(const Budget&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("steps", c.steps);
    f("bytes", c.bytes);
    f("minutes", c.minutes);
  }
};

/// Where the bytes come from: files, or folders that stand for the files under them.
struct DataConfig {
  std::vector<std::string> train{};
  /// How often a window comes from each of the paths of `train`, beside the others and whatever their sizes
  /// (WeightedWindows); windows do not reach from one path into another then. None: windows start anywhere, so that paths
  /// count by their sizes.
  std::vector<double> weights{};
  std::vector<std::string> valid{};  // validation data of its own, or
  double valid_share = 0;            // this share, held out of the training bytes, with weights of each path's; or none
  std::string separator{};           // put between files
  /// Which files of folders count, for training and validation alike: see FilePatterns.
  std::vector<std::string> include{}, exclude{};
  /// Where the share is held out: true, in as many stretches as there are files, up to 64, of 256 bytes or more, at equal
  /// distances and the last one at the end; false, at the end alone.
  bool spread = true;
  bool skip_runs = true;  // leaves the folders of runs out of folders

  bool operator==(const DataConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("train", c.train);
    f("weights", c.weights);
    f("valid", c.valid);
    f("valid_share", c.valid_share);
    f("separator", c.separator);
    f("include", c.include);
    f("exclude", c.exclude);
    f("spread", c.spread);
    f("skip_runs", c.skip_runs);
  }
};

/// The maximum of `batch` and of `accumulate`, so that products of sizes fit 64 bits.
inline constexpr Index kMaxWindows = Index{1} << 20;

/// How a model is trained. Dropout belongs to the model's own config.
struct TrainConfig {
  Budget budget{};
  Index batch = 8;       // B: windows in a micro-batch
  Index accumulate = 1;  // micro-batches in a step
  /// T: bytes in a window, a multiple of the model's units and at most its length; 0 means that length. Generation and
  /// evaluation go by the model's length, so to train on other windows, change the model's.
  Index length = 0;
  /// Windows follow one another instead of being drawn: batch * accumulate streams side by side (StreamWindows), each of
  /// which carries the model's State from window to window, so that what the model learns may reach back further than a
  /// window. For models without a longest sequence. Validations read windows all the same; EvaluateConfig::stream reads on.
  bool stream = false;
  Index carry = 1;            // windows that a step takes of each stream, over which the gradient flows back
  bool across_files = false;  // streams go on from one file to the next
  ScheduleConfig schedule{};
  AdamWConfig adamw{};
  double clip = 1;                        // the largest global norm of the gradient; 0 means any
  double average = 0;                     // decay of the moving average of the weights, as 0.999; 0 means none
  Precision precision = Precision::fp32;  // of products in training; evaluation is always in fp32
  std::uint64_t seed = 1;
  std::string init{};  // a checkpoint whose weights the run starts from; empty: the weights of the model handed over

  /// Stops after this many validations in a row without a new best; 0 means never. With patience eval_every and eval_bytes
  /// decide the result, so a resumed run must keep them.
  Index patience = 0;

  // From here on, nothing changes the weights; a resumed run may set them anew.
  Index eval_every = 250;               // steps between validations; 0 means only at the end
  std::int64_t eval_bytes = 64 * 1024;  // size of the evenly spread sample; 0 means all validation data
  Index log_every = 10;                 // steps between lines of metrics.jsonl
  double save_every_minutes = 5;        // of wall time; 0 means at the start and the end

  bool operator==(const TrainConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("budget", c.budget);
    f("batch", c.batch);
    f("accumulate", c.accumulate);
    f("length", c.length);
    f("stream", c.stream);
    f("carry", c.carry);
    f("across_files", c.across_files);
    f("schedule", c.schedule);
    f("adamw", c.adamw);
    f("clip", c.clip);
    f("average", c.average);
    f("precision", c.precision);
    f("seed", c.seed);
    f("init", c.init);
    f("patience", c.patience);
    f("eval_every", c.eval_every);
    f("eval_bytes", c.eval_bytes);
    f("log_every", c.log_every);
    f("save_every_minutes", c.save_every_minutes);
  }

  /// Throws Error with every problem at once, those of the combination with the model too.
  void validate(const ModelSummary& model) const;
  /// T: bytes in a window, the default filled in.
  Index window_length(const ModelSummary& model) const;
  /// A number of steps between validations that keeps their time small: 24 bytes are trained on for each byte validated, and
  /// training on a byte is three times the work. At most 1,000; 250 where all validation data are read. `model_bytes` are
  /// those that a window of the model's length trains on (ModelSummary::predicted).
  Index modest_eval_every(Index model_bytes) const;
  /// The random key of the training windows. The keys of the steps, for dropout, count up from 0 and never reach it.
  RandomKey data_key() const { return RandomKey{seed}.child(~std::uint64_t{0}); }
  /// The random key for AnyModel::init that goes with the seed.
  RandomKey init_key() const { return RandomKey{seed}.child(~std::uint64_t{1}); }
};

}  // namespace megalith

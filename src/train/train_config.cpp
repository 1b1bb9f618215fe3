// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/train_config.h"

#include <cmath>
#include <numeric>

#include "megalith/core/problems.h"
#include "megalith/kernels/gemm.h"

namespace megalith {

static void list_stream_problems(const TrainConfig& c, const ModelSummary& model, Problems& problems) {
  problems.require(c.carry >= 1 && c.carry <= kMaxWindows, "carry", c.carry, "from 1 to ", kMaxWindows);
  if (!c.stream) {
    problems.unless(c.carry == 1, "carry", " is ", c.carry, ", and windows that are drawn carry nothing; train on a stream");
    problems.unless(!c.across_files, "across_files", " is for streams, and windows that are drawn cross files anyway");
    return;
  }
  problems.unless(!model.max_length(), "stream", " is for models without a longest sequence, and this one reads ",
                  model.max_length().value_or(0), " bytes at most; train it on windows");
  problems.unless(model.record().bytes == 1, "stream", " reads on from byte to byte, and the model reads records of ",
                  model.record().bytes, " bytes; train it on windows");
}

void TrainConfig::validate(const ModelSummary& model) const {
  Problems problems;
  problems.not_negative("budget.steps", budget.steps);
  problems.not_negative("budget.bytes", budget.bytes);
  problems.not_negative("budget.minutes", budget.minutes);
  const int budgets = (budget.steps > 0 ? 1 : 0) + (budget.bytes > 0 ? 1 : 0) + (budget.minutes > 0 ? 1 : 0);
  problems.unless(budgets == 1, "budget", " is ", budget.steps, " steps, ", budget.bytes, " bytes, ", budget.minutes,
                  " minutes; give exactly one of them");
  problems.require(batch >= 1 && batch <= kMaxWindows, "batch", batch, "from 1 to ", kMaxWindows);
  problems.require(accumulate >= 1 && accumulate <= kMaxWindows, "accumulate", accumulate, "from 1 to ", kMaxWindows);
  const std::optional<Index> longest = model.window();
  problems.not_negative("length", length);
  problems.unless(longest || length != 0, "length", " is 0, and the model has no longest window; name one");
  problems.unless(!longest || length <= *longest, "length", " is ", length, ", and the model's windows have at most ",
                  longest.value_or(0), " bytes");
  problems.unless(length % model.unit() == 0, "length", " is ", length,
                  ", which is not a multiple of the model's patch size ", model.unit());
  const Index record = model.record().bytes, window = window_length(model);
  problems.unless(window < 1 || suits(model.record(), window), "length", " is ", window,
                  ", which neither divides the model's records of ", record, " bytes nor is a multiple of them");
  list_stream_problems(*this, model, problems);
  schedule.list_problems(problems);
  adamw.list_problems(problems);
  problems.not_negative("clip", clip);
  problems.require(average >= 0 && average < 1, "average", average, "from 0 to below 1");
  problems.unless(precision == Precision::fp32 || has_bf16_gemm(), "precision", " is ", to_string(precision),
                  ", and this processor has neither AMX nor AVX-512 BF16 instructions; train in fp32");
  problems.not_negative("eval_every", eval_every);
  constexpr Index kMaxPatience = 1 << 30, kMaxInterval = Index{1} << 32;  // their product stays inside 64 bits
  problems.require(patience >= 0 && patience <= kMaxPatience, "patience", patience, "from 0 to ", kMaxPatience);
  problems.unless(patience == 0 || (eval_every >= 1 && eval_every <= kMaxInterval), {"patience", "eval_every"}, " is ",
                  patience, " validations, and eval_every is ", eval_every, ", which must then be from 1 to ", kMaxInterval);
  problems.not_negative("eval_bytes", eval_bytes);
  problems.require(log_every >= 1, "log_every", log_every, "1 or more");
  problems.not_negative("save_every_minutes", save_every_minutes);
  problems.report();
}

Index TrainConfig::window_length(const ModelSummary& model) const {
  return length > 0 ? length : model.window().value_or(0);
}

Index TrainConfig::modest_eval_every(Index model_bytes) const {
  if (eval_bytes == 0) return TrainConfig{}.eval_every;
  constexpr double kTrainedForOne = 24, kMax = 1000;
  const double step = static_cast<double>(batch) * static_cast<double>(accumulate) * static_cast<double>(carry) *
                      static_cast<double>(length > 0 ? length : model_bytes);
  const double steps = std::ceil(kTrainedForOne * static_cast<double>(eval_bytes) / std::max(step, 1.0));
  return static_cast<Index>(std::clamp(steps, 1.0, kMax));
}

}  // namespace megalith

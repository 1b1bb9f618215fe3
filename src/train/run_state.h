// SPDX-License-Identifier: Apache-2.0
// state.safetensors: all that resuming a run needs.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "megalith/core/problems.h"
#include "megalith/models/any_model.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/trainer.h"
#include "megalith/train/weight_average.h"

namespace megalith::detail {

/// What the settings say about how far a run can be.
struct RunSize {
  std::int64_t steps = 0;           // 0 where the budget is in minutes
  std::int64_t bytes_per_step = 0;  // above 0
  bool may_be_longer = false;       // than the budget in its state; a run that is done then is not
};

/// What a run knows besides its tensors.
struct Counters {
  std::int64_t step = 0, bytes = 0;  // done
  double seconds = 0;                // of training
  std::int64_t finished = 0;         // 1 after the last validation
  std::int64_t lines = 0;            // written to metrics.jsonl

  double lr = 0, grad_norm = 0;  // of the last step
  // Of the line of metrics.jsonl in progress:
  double line_nats = 0, line_seconds = 0;
  std::int64_t line_bytes = 0;

  Validation valid{0, 0, -1}, best{0, 0, -1};  // step -1: none so far

  /// Calls f(name, value) for each.
  template <class F>
  void visit(F&& f) {
    f("step", step);
    f("bytes", bytes);
    f("seconds", seconds);
    f("finished", finished);
    f("lines", lines);
    f("lr", lr);
    f("grad_norm", grad_norm);
    f("line_nats", line_nats);
    f("line_seconds", line_seconds);
    f("line_bytes", line_bytes);
    const auto visit_validation = [&](const std::string& name, Validation& v) {
      f(name + ".bits_per_byte", v.bits_per_byte);
      f(name + ".bytes", v.bytes);
      f(name + ".step", v.step);
    };
    visit_validation("valid", valid);
    visit_validation("best", best);
  }

  /// Adds a sentence for each value that is out of range for a run of this size, naming it as visit() does.
  void list_problems(const RunSize& size, Problems& problems) const;
};

/// The tensors of a run, owned by others, and the structure of its model (AnyModel::structure). average is null where
/// averaging is off; streams are the States of a run on a stream.
struct RunTensors {
  std::span<const Parameter> weights;
  Optimizer& optimizer;
  WeightAverage* average;
  std::string structure{};
  std::span<std::unique_ptr<AnyState>> streams{};
};

/// Replaces the file at `path`. `settings` is what load_state compares.
void save_state(const std::string& path, const nlohmann::json& settings, Counters counters, const RunTensors& tensors);

/// Reads the file at `path` into counters and tensors, after checking all of it, numbers too. Throws Error when it is not a
/// valid state, naming what is wrong, or when its settings, its model's structure or its optimiser differ from
/// these, naming both.
Counters load_state(const std::string& path, const nlohmann::json& settings, const RunSize& size, const RunTensors& tensors);

}  // namespace megalith::detail

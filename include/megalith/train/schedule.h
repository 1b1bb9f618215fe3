// SPDX-License-Identifier: Apache-2.0
// The learning rate of each step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "megalith/core/fields.h"
#include "megalith/core/problems.h"

namespace megalith {

/// What follows the warm-up, over the progress p of the budget (0 at its start, 1 at its end).
enum class ScheduleKind {
  linear,    // 1 - p: falls to 0
  cosine,    // from 1 down to `floor` along half a cosine
  cooldown,  // 1, then linearly to 0 over the last `cooldown_share` of the budget
};

template <>
inline constexpr std::array<std::string_view, 3> kNames<ScheduleKind>{"linear", "cosine", "cooldown"};

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cooldown;
  double peak = 1e-3;           // the learning rate where warm-up and decay are both 1
  Index warmup_steps = 100;     // linear from peak / warmup_steps in the first step
  double warmup_share = 0.1;    // of the budget, after which the warm-up ends at the latest; 1: warmup_steps alone count
  double floor = 0;             // of cosine, as a share of the peak
  double cooldown_share = 0.5;  // of cooldown, as a share of the budget

  bool operator==(const ScheduleConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("kind", c.kind);
    f("peak", c.peak);
    f("warmup_steps", c.warmup_steps);
    f("warmup_share", c.warmup_share);
    f("floor", c.floor);
    f("cooldown_share", c.cooldown_share);
  }

  /// Adds a sentence for each setting that is out of range.
  void list_problems(Problems& problems) const;
};

/// The learning rate of step `step` (from 0), before which the share `progress` of the budget was used. It is the peak times
/// the warm-up's factor min(1, (step + 1) / warmup_steps), or progress / warmup_share where that is more, times the factor
/// of the kind.
double learning_rate(const ScheduleConfig& config, std::int64_t step, double progress);

/// `linear`, `cosine` or `cooldown`.
std::string_view to_string(ScheduleKind kind);
/// The inverse; throws Error naming the three for any other name.
ScheduleKind parse_schedule_kind(std::string_view name);

}  // namespace megalith

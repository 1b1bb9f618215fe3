// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "megalith/core/check.h"

namespace megalith {

void ScheduleConfig::list_problems(Problems& problems) const {
  problems.require(peak > 0 && std::isfinite(peak), "schedule.peak", peak, "above 0");
  problems.not_negative("schedule.warmup_steps", warmup_steps);
  problems.require(warmup_share > 0 && warmup_share <= 1, "schedule.warmup_share", warmup_share, "a share above 0, up to 1");
  problems.require(floor >= 0 && floor <= 1, "schedule.floor", floor, "a share from 0 to 1");
  problems.require(cooldown_share > 0 && cooldown_share <= 1, "schedule.cooldown_share", cooldown_share,
                   "a share above 0, up to 1");
}

double learning_rate(const ScheduleConfig& config, std::int64_t step, double progress) {
  const double p = std::clamp(progress, 0.0, 1.0);
  double decay = 1;
  switch (config.kind) {
    case ScheduleKind::linear:
      decay = 1 - p;
      break;
    case ScheduleKind::cosine:
      decay = config.floor + (1 - config.floor) * 0.5 * (1 + std::cos(std::numbers::pi * p));
      break;
    case ScheduleKind::cooldown:
      decay = std::min(1.0, (1 - p) / config.cooldown_share);
      break;
  }
  double warmup =
      step < config.warmup_steps ? static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps) : 1.0;
  if (config.warmup_share < 1) warmup = std::min(1.0, std::max(warmup, p / config.warmup_share));
  return config.peak * warmup * decay;
}

std::string_view to_string(ScheduleKind kind) { return kNames<ScheduleKind>.at(static_cast<std::size_t>(kind)); }

ScheduleKind parse_schedule_kind(std::string_view name) {
  const auto found = std::find(kNames<ScheduleKind>.begin(), kNames<ScheduleKind>.end(), name);
  check(found != kNames<ScheduleKind>.end(), "there is no schedule \"", name, "\"; choose linear, cosine or cooldown");
  return static_cast<ScheduleKind>(found - kNames<ScheduleKind>.begin());
}

}  // namespace megalith

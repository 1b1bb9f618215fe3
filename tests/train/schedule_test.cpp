// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/schedule.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(Schedule, LinearFallsToZero) {
  const ScheduleConfig c{.kind = ScheduleKind::linear, .peak = 0.5, .warmup_steps = 0};
  EXPECT_EQ(learning_rate(c, 0, 0), 0.5);
  EXPECT_EQ(learning_rate(c, 10, 0.25), 0.375);
  EXPECT_EQ(learning_rate(c, 10, 1), 0);
  EXPECT_EQ(learning_rate(c, 10, 1.5), 0);  // a budget in minutes may be overrun
}

TEST(Schedule, CosineFallsToItsFloor) {
  const ScheduleConfig c{.kind = ScheduleKind::cosine, .peak = 2, .warmup_steps = 0, .floor = 0.1};
  EXPECT_EQ(learning_rate(c, 0, 0), 2);
  EXPECT_NEAR(learning_rate(c, 0, 0.5), 2 * 0.55, 1e-15);
  EXPECT_NEAR(learning_rate(c, 0, 1), 0.2, 1e-15);
}

TEST(Schedule, CooldownIsConstantThenLinear) {
  const ScheduleConfig c{.kind = ScheduleKind::cooldown, .peak = 1, .warmup_steps = 0, .cooldown_share = 0.25};
  EXPECT_EQ(learning_rate(c, 0, 0), 1);
  EXPECT_EQ(learning_rate(c, 0, 0.75), 1);
  EXPECT_EQ(learning_rate(c, 0, 0.875), 0.5);
  EXPECT_EQ(learning_rate(c, 0, 1), 0);
  EXPECT_EQ(ScheduleConfig{}.cooldown_share, 0.5);
}

TEST(Schedule, WarmUpIsLinearAndMultiplies) {
  const ScheduleConfig c{.kind = ScheduleKind::linear, .peak = 1, .warmup_steps = 4, .warmup_share = 1};
  EXPECT_EQ(learning_rate(c, 0, 0), 0.25);
  EXPECT_EQ(learning_rate(c, 1, 0.5), 0.25);
  EXPECT_EQ(learning_rate(c, 3, 0), 1);
  EXPECT_EQ(learning_rate(c, 4, 0), 1);
}

TEST(Schedule, Names) {
  for (const ScheduleKind kind : {ScheduleKind::linear, ScheduleKind::cosine, ScheduleKind::cooldown})
    EXPECT_EQ(parse_schedule_kind(to_string(kind)), kind);
  EXPECT_ERROR(parse_schedule_kind("cosin"), "\"cosin\"");
}

TEST(Schedule, TheWarmUpEndsAfterATenthOfTheRunAtTheLatest) {
  ScheduleConfig c{.kind = ScheduleKind::cooldown, .peak = 1, .warmup_steps = 100};
  EXPECT_EQ(learning_rate(c, 0, 0), 0.01);
  EXPECT_EQ(learning_rate(c, 1, 0.05), 0.5) << "a run of 20 steps";
  EXPECT_EQ(learning_rate(c, 2, 0.1), 1);
  EXPECT_EQ(learning_rate(c, 49, 0.001), 0.5) << "a long run";
  c.warmup_share = 1;  // as older runs did
  EXPECT_EQ(learning_rate(c, 1, 0.05), 0.02);
}

}  // namespace
}  // namespace megalith

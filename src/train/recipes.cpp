// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/recipes.h"

#include <array>

namespace megalith {
namespace {

struct Recipe {
  std::string_view model;
  double lr;
  ScheduleKind schedule;
  Index batch;
};

constexpr std::array kRecipes{
    Recipe{"megabyte-tiny", 4e-3, ScheduleKind::linear, 8},
    Recipe{"megabyte-small", 5e-4, ScheduleKind::linear, 4},
    Recipe{"megabyte-books", 3e-3, ScheduleKind::linear, 4},
    Recipe{"megabyte-three-scale", 2e-3, ScheduleKind::linear, 4},
    Recipe{"megabyte-image32", 2e-3, ScheduleKind::linear, 2},
    Recipe{"megabyte-image64", 2e-3, ScheduleKind::linear, 1},
    Recipe{"megabyte-audio", 2e-3, ScheduleKind::linear, 2},
    Recipe{"megabyte-logs", 2e-3, ScheduleKind::linear, 2},
    Recipe{"megabyte-genome", 2e-3, ScheduleKind::linear, 2},
    Recipe{"vanilla-tiny", 3e-3, ScheduleKind::linear, 4},
    Recipe{"vanilla-small-flops", 1e-3, ScheduleKind::linear, 2},
    Recipe{"perceiver-small", 1e-3, ScheduleKind::linear, 8},
    Recipe{"megalodon-tiny", 3e-3, ScheduleKind::linear, 4},
    Recipe{"megalodon-small", 1e-3, ScheduleKind::linear, 1},
    Recipe{"mega-small", 1e-3, ScheduleKind::linear, 1},
    Recipe{"megabyte-megalodon-small", 1e-3, ScheduleKind::linear, 1},
    Recipe{"vanilla-small-params", 5e-4, ScheduleKind::linear, 1},
    Recipe{"vanilla-small-window", 5e-4, ScheduleKind::linear, 1},
};

}  // namespace

TrainConfig recipe(std::string_view model) {
  TrainConfig config;
  for (const Recipe& r : kRecipes) {
    if (r.model != model) continue;
    config.schedule.peak = r.lr;
    config.schedule.kind = r.schedule;
    config.batch = r.batch;
  }
  return config;
}

}  // namespace megalith

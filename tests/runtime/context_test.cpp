// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/context.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

namespace megalith {
namespace {

TEST(Context, RangesCoverAllWithoutOverlap) {
  Workspace workspace(3);
  const Context ctx(workspace);
  for (const Index n : {0, 1, 63, 64, 65, 200}) {
    std::vector<int> visits(static_cast<std::size_t>(n));
    std::mutex mutex;
    ctx.parallel_ranges(n, 64, [&](Index begin, Index end, Arena&) {
      const std::lock_guard lock(mutex);
      EXPECT_LT(begin, end);
      EXPECT_EQ(begin % 64, 0);
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const int v : visits) EXPECT_EQ(v, 1);
  }
}

TEST(Context, RowsAreSharedOutWhereTheyAreWorthIt) {
  Workspace workspace(3);
  const Context ctx(workspace);
  struct Case {
    Index rows, channels, tasks;
  };
  // Few numbers stay on one thread, more keep all threads busy, above 32,768 each they come in rounds; a row is never cut.
  for (const Case& c : {Case{0, 512, 0},
                        {8, 512, 1},
                        {7, 512, 1},
                        {9, 512, 2},
                        {24, 512, 3},
                        {3, 2048, 2},
                        {192, 512, 3},
                        {256, 512, 6},
                        {4, 100000, 4},
                        {1, 1, 1},
                        {5000, 1, 2}}) {
    std::vector<int> visits(static_cast<std::size_t>(c.rows));
    Index tasks = 0;
    std::mutex mutex;
    ctx.parallel_rows(c.rows, c.channels, [&](Index begin, Index end, Arena&) {
      const std::lock_guard lock(mutex);
      ++tasks;
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(tasks, c.tasks) << c.rows << " rows of " << c.channels;
    for (const int v : visits) EXPECT_EQ(v, 1);
  }
}

TEST(Context, SitesHaveKeysOfTheirOwn) {
  Workspace workspace(1);
  Context ctx(workspace);
  ctx.key = {5};
  ctx.mode = Mode::train;
  EXPECT_NE(ctx.site(0).key, ctx.site(1).key);
  EXPECT_NE(ctx.site(0).key, ctx.key);
  EXPECT_EQ(ctx.site(1).key, ctx.site(1).key);
  EXPECT_EQ(ctx.site(1).mode, Mode::train);
}

TEST(Context, RowsAddUp) {
  Workspace workspace(1);
  const Context ctx(workspace);
  EXPECT_EQ(ctx.after_rows(3).after_rows(4).first_row, 7);
  EXPECT_EQ(ctx.after_rows(3).site(2).first_row, 3);
}

}  // namespace
}  // namespace megalith

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
    ctx.parallel_ranges(n, 64, [&](Index begin, Index end, Lane&) {
      const std::lock_guard lock(mutex);
      EXPECT_LT(begin, end);
      EXPECT_EQ(begin % 64, 0);
      for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
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

TEST(SerialCommunicator, IsAGroupOfOne) {
  SerialCommunicator alone;
  EXPECT_EQ(alone.rank(), 0);
  EXPECT_EQ(alone.size(), 1);
  float values[] = {1, 2};
  alone.all_reduce_sum(values);
  EXPECT_EQ(values[1], 2);
  alone.barrier();
}

}  // namespace
}  // namespace megalith

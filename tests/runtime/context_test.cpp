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

TEST(Context, NumbersRowsBySequenceAndPosition) {
  Workspace workspace(1);
  const Context ctx(workspace);
  EXPECT_EQ(ctx.row_number(0, 5), (RowNumber{0, 0}));
  EXPECT_EQ(ctx.row_number(13, 5), (RowNumber{2, 3}));
  // Micro-batches and chunks begin later, and add up.
  EXPECT_EQ(ctx.from_sequence(3).from_sequence(4).row_number(13, 5), (RowNumber{9, 3}));
  EXPECT_EQ(ctx.from_position(100).from_position(20).row_number(13, 5), (RowNumber{2, 123}));
  EXPECT_EQ(ctx.from_sequence(3).site(2).from_position(1).row_number(0, 5), (RowNumber{3, 1}));
}

TEST(Context, ATileKeepsTheNumbersOfItsRows) {
  Workspace workspace(1);
  const Context ctx = Context(workspace).from_sequence(2).from_position(50);
  constexpr Index T = 6;
  for (Index first = 0; first < 18; ++first) {
    const Context tile = ctx.tile(first, T);
    for (Index i = 0; first + i < 18; ++i) {
      // However the tile groups its rows: as one sequence, or one by one.
      EXPECT_EQ(tile.row_number(i, 18 - first), ctx.row_number(first + i, T)) << first << ' ' << i;
      EXPECT_EQ(tile.row_number(i, 1), ctx.row_number(first + i, T)) << first << ' ' << i;
      // A tile of a tile.
      EXPECT_EQ(ctx.tile(first / 2, T).tile(first - first / 2, 1).row_number(i, 1), ctx.row_number(first + i, T));
    }
  }
}

TEST(Context, PatchesAreNumberedByThemselves) {
  Workspace workspace(1);
  const Context bytes = Context(workspace).from_sequence(2).from_position(24);
  constexpr Index P = 4, T = 12;
  for (Index first = 0; first < 36; first += P)
    for (Index i = 0; i < 36 - first; i += P) {
      const RowNumber byte = bytes.tile(first, T).row_number(i, T);
      EXPECT_EQ(bytes.tile(first, T).every(P).row_number(i / P, T / P), (RowNumber{byte.sequence, byte.position / P}));
    }
  EXPECT_EQ(bytes.every(P).row_number(4, T / P), (RowNumber{3, 7}));
}

}  // namespace
}  // namespace megalith

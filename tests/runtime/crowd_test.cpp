// SPDX-License-Identifier: Apache-2.0
// Made-up times, so that nothing depends on the machine.
#include "runtime/crowd.h"

#include <gtest/gtest.h>

namespace megalith::detail {
namespace {

using std::chrono::microseconds;

/// A caller whose regions follow each other without a pause.
struct Caller {
  microseconds region{10};  // computing, of each
  bool robbed = false;      // whether others take its core meanwhile
  Crowd crowd{};
  CoreUse use{};
  Crowd::Clock::time_point now{std::chrono::hours(1)};
  int looks = 0;

  bool next() {
    const bool alone = crowd.works_alone(now, [this] { return ++looks, use; });
    now += region;
    use.time += region;
    if (robbed) ++use.taken;
    return alone;
  }
  /// How many of so many regions it does alone.
  int alone_of(int regions) {
    int alone = 0;
    for (int i = 0; i < regions; ++i) alone += next() ? 1 : 0;
    return alone;
  }
};

TEST(Crowd, NobodyWorksAloneOnAQuietMachine) {
  Caller caller;
  EXPECT_EQ(caller.alone_of(100000), 0);
  EXPECT_LE(caller.looks, 1 + 100000 * caller.region / Crowd::kBetweenLooks);  // seldom: each is a system call
}

TEST(Crowd, TheCallerWorksAloneMoreAndMoreWhereItsCoreIsTaken) {
  Caller caller{.robbed = true};
  const int first = caller.alone_of(5000), later = caller.alone_of(200000);
  EXPECT_GT(first, 0);
  EXPECT_GT(later, 190000);
  EXPECT_LT(later, 200000) << "it never looks whether the others are gone";
}

TEST(Crowd, TheThreadsWorkTogetherAgainOnceTheOthersAreGone) {
  Caller caller{.robbed = true};
  caller.alone_of(200000);
  caller.robbed = false;
  const int longest = Crowd::kMostAlone * static_cast<int>(Crowd::kBetweenLooks / caller.region);
  caller.alone_of(longest + 1000);
  EXPECT_EQ(caller.alone_of(10000), 0);
}

TEST(Crowd, LongRegionsAreWorthTheWait) {
  Caller caller{.region = 2 * Crowd::kShortRegion, .robbed = true};
  EXPECT_EQ(caller.alone_of(100000), 0);
}

}  // namespace
}  // namespace megalith::detail

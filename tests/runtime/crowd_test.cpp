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
  microseconds taken{0};    // by others, who take the core at every `between`-th region
  int between = 1;
  microseconds waits{0};  // of its own accord, after each
  Crowd crowd{};
  CoreUse use{};
  Crowd::Clock::time_point now{std::chrono::hours(1)};
  int regions = 0, looks = 0;

  bool next() {
    const bool alone = crowd.works_alone(now, [this] { return ++looks, use; });
    now += region + waits;
    use.time += region;
    if (taken.count() > 0 && ++regions % between == 0) now += taken, ++use.taken;
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

TEST(Crowd, TheCallerWorksAloneWhereItsCoreIsTaken) {
  Caller caller{.taken = microseconds(3000), .between = 300};
  EXPECT_LT(caller.alone_of(1000), 1000);
  EXPECT_EQ(caller.alone_of(200000), 200000);
  const int looks = caller.looks;
  caller.alone_of(200000);
  EXPECT_LE(caller.looks - looks, 2 + 2 * 200000 * caller.region / (Crowd::kMostAlone * Crowd::kBetweenLooks));
}

TEST(Crowd, TheThreadsWorkTogetherAgainOnceTheOthersAreGone) {
  Caller caller{.taken = microseconds(3000), .between = 300};
  EXPECT_GT(caller.alone_of(200000), 0);
  caller.taken = microseconds(0);
  const int longest = Crowd::kMostAlone * static_cast<int>(Crowd::kBetweenLooks / caller.region);
  caller.alone_of(longest + 1000);
  EXPECT_EQ(caller.alone_of(10000), 0);
}

TEST(Crowd, AProgramOfLowPriorityIsHardlyAReason) {
  Caller caller{.taken = microseconds(3000), .between = 300};
  caller.alone_of(200000);
  caller.between = 20000;  // it gets its turn five times a second
  caller.alone_of(200000);
  EXPECT_LT(caller.alone_of(1000000), 100000);
}

TEST(Crowd, WaitingForSomethingElseIsNoReason) {
  Caller caller{.waits = microseconds(100)};
  EXPECT_EQ(caller.alone_of(100000), 0);
}

TEST(Crowd, LongRegionsAreWorthTheWait) {
  Caller caller{.region = 2 * Crowd::kShortRegion, .taken = microseconds(3000), .between = 30};
  EXPECT_EQ(caller.alone_of(100000), 0);
}

}  // namespace
}  // namespace megalith::detail

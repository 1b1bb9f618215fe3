// SPDX-License-Identifier: Apache-2.0
#include "megalith/runtime/workspace.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace megalith {
namespace {

TEST(Frame, GivesBackWhatItTook) {
  Arena arena;
  float* first;
  {
    Frame frame(arena);
    first = frame.take<float>(100);
    Frame inner(arena);
    EXPECT_GE(inner.take<float>(10), first + 100);
  }
  Frame again(arena);
  EXPECT_EQ(again.take<float>(5), first);
}

TEST(Frame, MemoryIsAlignedAndApart) {
  Arena arena;
  Frame frame(arena);
  std::byte* last = nullptr;
  for (const Index n : {1, 63, 64, 65, 1000}) {
    auto* const p = reinterpret_cast<std::byte*>(frame.take<std::uint8_t>(n));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % kAlignment, 0u);
    if (last != nullptr) {
      EXPECT_GE(p, last);
    }
    last = p + n;
  }
}

TEST(Frame, BlocksNeverMoveAndAreReused) {
  Arena arena;
  std::size_t grown = 0;
  for (int round = 0; round < 3; ++round) {
    Frame frame(arena);
    float* const small = frame.take<float>(1000);
    small[999] = 7;
    float* const large = frame.take<float>(1000 * 1000);  // larger than a block
    large[999999] = 8;
    float* const other = frame.take<float>(2 * 1000 * 1000);
    other[0] = 9;
    EXPECT_EQ(small[999], 7);
    EXPECT_EQ(large[999999], 8);
    if (round == 0) grown = arena.capacity();
    EXPECT_EQ(arena.capacity(), grown);  // calls after the first allocate nothing
  }
}

TEST(Frame, SkipsABlockThatIsTooSmall) {
  Arena arena;
  for (int round = 0; round < 2; ++round) {  // in the second round all blocks exist
    Frame frame(arena);
    float* const a = frame.take<float>(300 * 1000);
    Frame inner(arena);
    float* const b = inner.take<float>(500 * 1000);
    std::fill_n(a, 300 * 1000, 1.0f);
    std::fill_n(b, 500 * 1000, 2.0f);
    EXPECT_EQ(a[300 * 1000 - 1], 1);
  }
}

TEST(Frame, TheArenaRemembersItsPeak) {
  Arena arena;
  EXPECT_EQ(arena.peak(), 0u);
  {
    Frame frame(arena);
    frame.take<std::byte>(10 * kAlignment);
    {
      Frame inner(arena);
      inner.take<std::byte>(1024 * 1024);  // in another block
    }
    frame.take<std::byte>(1);
    EXPECT_EQ(arena.peak(), 1024 * 1024 + 10 * kAlignment);
    arena.reset_peak();
    EXPECT_EQ(arena.peak(), 11 * kAlignment);
  }
  EXPECT_EQ(arena.peak(), 11 * kAlignment);
  arena.reset_peak();
  EXPECT_EQ(arena.peak(), 0u);

  Workspace workspace(2);
  Frame a(workspace.arena(0)), b(workspace.arena(1));
  a.take<std::byte>(kAlignment);
  b.take<std::byte>(2 * kAlignment);
  EXPECT_EQ(workspace.peak(), 3 * kAlignment);
}

TEST(Workspace, HasAnArenaForEachThread) {
  Workspace workspace(3);
  EXPECT_EQ(workspace.threads(), 3);
  EXPECT_NE(&workspace.arena(0), &workspace.arena(2));
}

TEST(Workspace, IsForOneThreadAtLeast) {
  EXPECT_THROW(Workspace(0), Error);
  EXPECT_THROW(Workspace(Team::kMaxThreads + 1), Error);
  EXPECT_THROW(Workspace(-3), Error);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/unfinished.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "megalith/io/atomic_file.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(Unfinished, IsUndoneUnlessFinished) {
  std::string undone;
  {
    Unfinished a([] {}, [&] { undone += "a"; });
    Unfinished b([] {}, [&] { undone += "b"; });
    Unfinished c([] {}, [&] { undone += "c"; });
    b.finish([] {});
    EXPECT_THROW(c.finish([] { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(undone, "");
  }
  EXPECT_EQ(undone, "ca");
}

TEST(Unfinished, WhatNeverBeganIsNotUndone) {
  bool undone = false;
  EXPECT_THROW(Unfinished([] { throw std::runtime_error("no"); }, [&] { undone = true; }), std::runtime_error);
  { const auto lock = Unfinished::undo_all(); }
  EXPECT_FALSE(undone);
}

TEST(Unfinished, AllIsUndoneOnceTheLatestFirst) {
  std::string undone;
  {
    Unfinished a([] {}, [&] { undone += "a"; });
    Unfinished b([] {}, [&] { undone += "b"; });
    Unfinished c([] {}, [&] { undone += "c"; });
    b.finish([] {});
    { const auto lock = Unfinished::undo_all(); }
    EXPECT_EQ(undone, "ca");
  }
  EXPECT_EQ(undone, "ca");
}

TEST(Unfinished, NothingBeginsWhileTheProcessEnds) {
  bool begun = false;
  std::thread other;
  {
    const auto lock = Unfinished::undo_all();
    other = std::thread([&] { Unfinished([&] { begun = true; }, [] {}); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(begun);
  }
  other.join();
  EXPECT_TRUE(begun);
}

TEST(Unfinished, TemporaryFilesAreAmongThem) {
  const TemporaryFolder folder;
  write_file(folder / "whole", "whole");
  AtomicFile file(folder / "half");
  file.write("half");
  EXPECT_TRUE(std::filesystem::exists(folder / "half.megalith-tmp"));
  { const auto lock = Unfinished::undo_all(); }
  EXPECT_FALSE(std::filesystem::exists(folder / "half.megalith-tmp"));
  EXPECT_EQ(read_file(folder / "whole"), "whole");
  EXPECT_ERROR(file.commit(), "cannot write");
  EXPECT_FALSE(std::filesystem::exists(folder / "half"));
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The file that keeps what came from standard input.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "standard_input.h"
#include "support/temporary_folder.h"

namespace megalith::tool {
namespace {

/// A pipe with these bytes in it.
int pipe_with(const std::string& bytes) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  close(ends[1]);
  return ends[0];
}

TEST(StandardInput, IsKeptOnceTheRunBegins) {
  const TemporaryFolder folder;
  const int input = pipe_with("some bytes");
  {
    const StandardInput kept(input, folder / "new/run");
    EXPECT_EQ(read_file(folder / "new/run/stdin.bin"), "some bytes");
    folder.write("new/run/config.json", "{}");
  }
  EXPECT_EQ(read_file(folder / "new/run/stdin.bin"), "some bytes");
  EXPECT_ERROR(StandardInput(input, folder / "new/run"), "holds a run already");
  EXPECT_EQ(read_file(folder / "new/run/stdin.bin"), "some bytes");
  close(input);
}

TEST(StandardInput, LeavesNothingOtherwise) {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& bytes) {
    const int input = pipe_with(bytes);
    StandardInput kept(input, folder / "run", 10);
    close(input);
  };
  with("1234567890");
  EXPECT_FALSE(std::filesystem::exists(folder / "run")) << "no run began";
  EXPECT_ERROR(with("12345678901"), "more than 10 bytes");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  EXPECT_ERROR(with(""), "standard input is empty");
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  std::filesystem::create_directory(folder / "run");
  folder.write("run/stdin.bin", "somebody's own");
  EXPECT_ERROR(with("123"), "is there already");
  EXPECT_EQ(read_file(folder / "run/stdin.bin"), "somebody's own");
}

/// Another run may begin in the folder while bytes come.
TEST(StandardInput, AnotherRunThatBeganMeanwhileKeepsItsOwn) {
  const TemporaryFolder folder;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string refusal;
  std::thread slow([&] { refusal = error_of([&] { StandardInput(ends[0], folder / "run"); }); });
  while (!std::filesystem::exists(folder / "run/stdin.bin.megalith-tmp")) std::this_thread::yield();
  folder.write("run/stdin.bin", "of another run");
  EXPECT_EQ(write(ends[1], "late", 4), 4);
  close(ends[1]);
  slow.join();
  close(ends[0]);
  EXPECT_NE(refusal.find("is there already"), std::string::npos) << refusal;
  EXPECT_EQ(read_file(folder / "run/stdin.bin"), "of another run");
}

}  // namespace
}  // namespace megalith::tool

// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(InputFile, ReadsAnywhere) {
  const TemporaryFolder folder;
  InputFile first(folder.write("a", "hello world"));
  const InputFile file = std::move(first);
  EXPECT_EQ(file.size(), 11u);
  std::array<char, 5> word{};
  file.read(6, std::as_writable_bytes(std::span(word)));
  EXPECT_EQ(std::string_view(word.data(), 5), "world");
  file.read(0, std::as_writable_bytes(std::span(word)));
  EXPECT_EQ(std::string_view(word.data(), 5), "hello");
  file.read(11, {});
  EXPECT_ERROR(file.read(7, std::as_writable_bytes(std::span(word))), "ends at byte 11");
}

TEST(InputFile, AFileCutShortIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "hello world");
  const InputFile file(path);
  std::filesystem::resize_file(path, 3);
  std::array<char, 5> word{};
  EXPECT_ERROR(file.read(0, std::as_writable_bytes(std::span(word))), "changed while it was read");
}

TEST(InputFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_ERROR(InputFile(folder / "none"), "none: No such file or directory");
  EXPECT_ERROR(InputFile(folder / "pipe"), "is a pipe, not a file");
  EXPECT_ERROR(InputFile(folder.path()), "is a folder, not a file");
  EXPECT_ERROR(InputFile("/dev/null"), "is a device, not a file");
}

TEST(InputFile, ReadText) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", std::string_view("hello\0\n", 7));
  EXPECT_EQ(read_text(path, 7), std::string_view("hello\0\n", 7));
  EXPECT_EQ(read_text(folder.write("empty", ""), 0), "");
  EXPECT_ERROR(read_text(path, 6), "a is too large: it has 7 bytes, and may have at most 6");
  EXPECT_ERROR(read_text(folder / "none", 1), "cannot read");
  EXPECT_ERROR(read_text(folder.path(), 1), "is a folder, not a file");
}

TEST(InputFile, TheReasonIsThatOfTheCallThatFailed) {
  errno = 0;  // a reason that is read before the call says Success
  EXPECT_ERROR(InputFile("/none/at/all"), "cannot read /none/at/all: No such file or directory");
  errno = EDOM;
  EXPECT_ERROR(InputFile("/none/at/all"), "No such file or directory");
}

TEST(InputFile, RefusesFilesThatAreMadeUpWhenTheyAreRead) {
  if (!std::filesystem::exists("/proc/self/status")) GTEST_SKIP();
  EXPECT_ERROR(InputFile("/proc/self/status"), "says that it has 0 bytes, and gives more, as files of /proc and /sys do");
}

}  // namespace
}  // namespace megalith

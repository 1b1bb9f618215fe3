// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

/// Files cannot grow beyond a number of bytes while this lives: the nearest to a full disk that needs no disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

TEST(AtomicFile, WritesAndReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.json";
  write_file(path, "first");
  EXPECT_EQ(read_file(path), "first");
  AtomicFile file(path);
  file.write("sec");
  file.write("ond");
  EXPECT_EQ(read_file(path), "first") << "the old file stays until commit";
  file.commit();
  EXPECT_EQ(read_file(path), "second");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a.json"});
}

TEST(AtomicFile, WithoutCommitNothingIsLeft) {
  const TemporaryFolder folder;
  { AtomicFile(folder / "a").write("abandoned"); }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicFile, WritesOverWhatAKilledProcessLeft) {
  const TemporaryFolder folder;
  folder.write("a.megalith-tmp", "the first half of something long");
  write_file(folder / "a", "new");
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, AFullDiskKeepsTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  {
    const FullDisk full(100);
    EXPECT_ERROR(write_file(path, std::string(1000, 'x')), "cannot write " + path + ": File too large");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

/// What f throws in a process of its own, which may write no larger files and has not asked about SIGXFSZ; else "".
std::string error_under_limit(rlim_t bytes, void (*prepare)(), const std::function<void()>& f) {
  int both[2];
  EXPECT_EQ(::pipe(both), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    prepare();
    sigset_t before, after, pending;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &before);
    ::sigpending(&pending);
    const bool was_pending = ::sigismember(&pending, SIGXFSZ) == 1;
    std::string said = error_of(f);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
    ::sigpending(&pending);
    if (::sigismember(&before, SIGXFSZ) != ::sigismember(&after, SIGXFSZ)) said = "the signals blocked are others";
    if ((::sigismember(&pending, SIGXFSZ) == 1) != was_pending) said = "the signals pending are others";
    (void)!::write(both[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(both[1]);
  std::string said;
  char piece[256];
  for (ssize_t n; (n = ::read(both[0], piece, sizeof piece)) > 0;) said.append(piece, static_cast<std::size_t>(n));
  ::close(both[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) said = "killed by signal " + std::to_string(WTERMSIG(status));
  return said;
}

TEST(AtomicFile, ALimitOfFileSizesEndsNoProgram) {
  const TemporaryFolder folder;
  const auto too_large = [&] { write_file(folder / "a", std::string(1000, 'x')); };
  const std::string expected = "cannot write " + folder / "a" + ": File too large";
  const auto nothing = [] {};
  const auto blocks = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  };
  const auto handles = [] { std::signal(SIGXFSZ, [](int) { ::_exit(7); }); };
  EXPECT_EQ(error_under_limit(100, nothing, too_large), expected);
  EXPECT_EQ(error_under_limit(100, blocks, too_large), expected);
  EXPECT_EQ(error_under_limit(100, handles, too_large), expected);
  const auto has_one = [] {  // a signal of the program's own, which it has not looked at yet
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::raise(SIGXFSZ);
  };
  EXPECT_EQ(error_under_limit(100, has_one, too_large), expected);
  EXPECT_EQ(error_under_limit(100, nothing, [&] { write_file(folder / "b", "short"); }), "");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"b"});
}

TEST(AtomicFile, SaysWhatIsWrongWithTheFolder) {
  const TemporaryFolder folder;
  EXPECT_ERROR(write_file(folder / "none/a", "x"), "none/a: No such file or directory");
  folder.write("file", "");
  EXPECT_ERROR(write_file(folder / "file/a", "x"), "file/a: Not a directory");
  EXPECT_ERROR(write_file("/proc/a", "x"), "cannot write /proc/a: ");
  std::filesystem::create_directory(folder / "b");
  EXPECT_ERROR(write_file(folder / "b", "x"), "b: Is a directory");
  EXPECT_FALSE(std::filesystem::exists(folder / "b.megalith-tmp"));
}

TEST(AtomicFile, ALinkToAFileThatIsNotThereYetStays) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  fs::create_directory(folder / "there");
  fs::create_symlink("there/new", folder / "second");
  fs::create_symlink(folder / "second", folder / "first");
  write_file(folder / "first", "through");
  EXPECT_TRUE(fs::is_symlink(folder / "first") && fs::is_symlink(folder / "second"));
  EXPECT_EQ(read_file(folder / "there/new"), "through");
  fs::create_symlink("circle", folder / "circle");
  EXPECT_ERROR(write_file(folder / "circle", "x"), "cannot write " + folder / "circle: Too many levels of symbolic links");
}

TEST(AtomicFile, NamesAsLongAsTheSystemTakes) {
  const TemporaryFolder folder;
  const std::string one = folder / (std::string(254, 'n') + "1"), two = folder / (std::string(254, 'n') + "2");
  {
    AtomicFile first(one), second(two);  // with one temporary name between them
    first.write("1");
    second.write("2");
    second.commit();
    first.commit();
  }
  EXPECT_EQ(read_file(one) + read_file(two), "12");
  EXPECT_EQ(names_in(folder.path()).size(), 2u);
  EXPECT_ERROR(write_file(one + "1", "x"), "File name too long");
}

TEST(AtomicFile, AReplacedFileKeepsItsOwner) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "old");
  if (::chown(path.c_str(), 1234, 4321) != 0) GTEST_SKIP() << "whoever runs this may not give files away";
  ::chmod(path.c_str(), 0640);
  write_file(path, "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234u);
  EXPECT_EQ(status.st_gid, 4321u);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, InTheCurrentFolder) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(error_of([] { write_file("plain", "x"); }), "");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "plain"), "x");
}

TEST(AtomicFile, TouchesNothingElse) {
  TemporaryFolder folder;
  folder.write("a.tmp", "somebody's own");
  write_file(folder / "a", "new");
  EXPECT_EQ(read_file(folder / "a.tmp"), "somebody's own");
  // A link stays one, and a temporary name that leads elsewhere is not followed.
  folder.write("target", "old");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  write_file(folder / "link", "through");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "through");
  std::filesystem::create_symlink(folder / "target", folder / "b.megalith-tmp");
  EXPECT_THROW(write_file(folder / "b", "x"), Error);
  EXPECT_EQ(read_file(folder / "target"), "through");
}

TEST(AtomicFile, RefusesWhatIsNoFile) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "d");
  EXPECT_ERROR(AtomicFile(folder / "d"), "Is a directory");
  EXPECT_ERROR(AtomicFile("/dev/null"), "no regular file");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST(AtomicFile, TwoWritersOfOnePathDoNotMix) {
  const TemporaryFolder folder;
  folder.write("a.megalith-tmp", "left by a process that was killed");
  AtomicFile first(folder / "a"), second(folder / "a");
  first.write("first");
  second.write("the second");
  first.commit();
  EXPECT_EQ(read_file(folder / "a"), "first");
  {
    AtomicFile third(folder / "a");
    third.write("third");
  }  // its temporary file goes, and no other one
  second.commit();
  EXPECT_EQ(read_file(folder / "a"), "the second");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, PermissionsAreThoseOfTheOldFileOrOfTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file(folder / "new", "x");
  const std::string old = folder.write("old", "x");
  for (const mode_t mode : {0600, 0666, 0444}) {
    ::chmod(old.c_str(), mode);
    write_file(old, "y");
    EXPECT_EQ(mode_of(old), mode);
  }
  ::umask(before);
  EXPECT_EQ(mode_of(folder / "new"), mode_t{0640});
}

}  // namespace
}  // namespace megalith

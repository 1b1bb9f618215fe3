// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/corpus.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <clocale>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

namespace fs = std::filesystem;

template <class Source>
std::string read(const Source& source, std::int64_t offset, std::int64_t n) {
  std::string out(static_cast<std::size_t>(n), '\0');
  source.read(offset, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

std::string all(const Corpus& corpus) { return read(corpus, 0, corpus.size()); }

TEST(Corpus, JoinsFilesInTheOrderGiven) {
  const TemporaryFolder folder;
  const Corpus corpus({folder.write("b", "second"), folder.write("a", "first")});
  EXPECT_EQ(all(corpus), "secondfirst");
  ASSERT_EQ(corpus.files().size(), 2u);
  EXPECT_EQ(corpus.files()[1].path, folder / "a");
  EXPECT_EQ(corpus.files()[1].offset, 6);
  EXPECT_EQ(corpus.files()[1].size, 5);
}

TEST(Corpus, EveryReadIsTheSameAsOfTheJoinedText) {
  const TemporaryFolder folder;
  const std::vector<std::string> paths{folder.write("1", "abc"), folder.write("2", ""), folder.write("3", "d"),
                                       folder.write("4", std::string("e\0f\xff", 4))};
  for (const std::string separator : {"", "\n", "--"}) {
    const Corpus corpus(paths, separator);
    const std::string joined = "abc" + separator + "d" + separator + std::string("e\0f\xff", 4);
    ASSERT_EQ(corpus.size(), static_cast<std::int64_t>(joined.size()));
    for (std::int64_t begin = 0; begin <= corpus.size(); ++begin)
      for (std::int64_t n = 0; begin + n <= corpus.size(); ++n)
        ASSERT_EQ(read(corpus, begin, n), joined.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(n)));
    EXPECT_ERROR(read(corpus, -1, 1), "not all inside");
    EXPECT_ERROR(read(corpus, 0, corpus.size() + 1), "not all inside");
    EXPECT_ERROR(read(corpus, corpus.size() + 1, 0), "not all inside");
  }
}

TEST(Corpus, FoldersInBytewiseOrderOfThePath) {
  const TemporaryFolder folder;
  folder.write("data/a/x", "[a/x]");
  folder.write("data/a.txt", "[a.txt]");  // '.' comes before '/'
  folder.write("data/Z", "[Z]");
  folder.write("data/.hidden", "[.hidden]");
  folder.write("data/\xc3\xa4", "[umlaut]");  // 0xc3 is above all letters, not below
  folder.write("data/empty", "");
  EXPECT_EQ(all(Corpus({folder / "data"})), "[.hidden][Z][a.txt][a/x][umlaut]");
  EXPECT_EQ(all(Corpus({folder / "data/"})), "[.hidden][Z][a.txt][a/x][umlaut]");
}

TEST(Corpus, FollowsLinksButNoLoops) {
  const TemporaryFolder folder;
  folder.write("data/a", "[a]");
  folder.write("elsewhere/b", "[b]");
  fs::create_directory_symlink(folder / "elsewhere", folder / "data/link");
  fs::create_directory_symlink(folder / "elsewhere", folder / "data/once-more");
  fs::create_directory_symlink(folder / "data", folder / "data/up");
  fs::create_directory_symlink(folder / "data", folder / "elsewhere/back");
  fs::create_symlink(folder / "data/a", folder / "data/z");
  fs::create_symlink(folder / "none", folder / "data/dangling");
  fs::create_symlink(folder / "data/self", folder / "data/self");
  ASSERT_EQ(::mkfifo((folder / "data/pipe").c_str(), 0600), 0);
  EXPECT_EQ(all(Corpus({folder / "data"})), "[a][b][a]");
}

TEST(Corpus, MoreFilesThanStayOpen) {
  const TemporaryFolder folder;
  std::string joined;
  for (int i = 1000; i < 1300; ++i) {
    folder.write("many/" + std::to_string(i), std::to_string(i) + ",");
    joined += std::to_string(i) + ",";
  }
  const Corpus corpus({folder / "many"});
  EXPECT_EQ(all(corpus), joined);
  EXPECT_EQ(read(corpus, 1492, 6), joined.substr(1492, 6));
  fs::resize_file(folder / "many/1299", 3);
  EXPECT_ERROR(all(corpus), "1299 had 5 bytes and now has 3");
}

TEST(Corpus, SurvivesDeletionAndNoticesShrinking) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "abc");
  const Corpus corpus({path});
  fs::resize_file(path, 2);
  EXPECT_ERROR(all(corpus), "changed while it was read");
  fs::remove(path);
  EXPECT_EQ(read(corpus, 0, 2), "ab");
}

TEST(Corpus, RefusesWithASentence) {
  const TemporaryFolder folder;
  const std::string empty = folder.write("empty", "");
  fs::create_directory(folder / "bare");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_ERROR(Corpus(std::vector<std::string>{}), "name at least one file or folder");
  EXPECT_ERROR(Corpus({""}), "a path of the data is empty");
  EXPECT_ERROR(Corpus({folder / "none"}), "none: No such file or directory");
  EXPECT_ERROR(Corpus({folder / "bare"}), "bare holds no files");
  EXPECT_ERROR(Corpus({empty}), "is empty");
  EXPECT_ERROR(Corpus({empty, empty}, "separator"), "is empty");
  EXPECT_ERROR(Corpus({folder / "pipe"}), "is a pipe, not a file");
  EXPECT_ERROR(Corpus({"/dev/zero"}), "is a device, not a file");
}

TEST(Corpus, Slices) {
  const TemporaryFolder folder;
  Corpus moved({folder.write("a", "0123456789")});
  const Corpus corpus = std::move(moved);
  EXPECT_EQ(read(corpus.all(), 0, 10), "0123456789");
  const CorpusSlice slice{&corpus, 3, 7};
  EXPECT_EQ(slice.size(), 4);
  EXPECT_EQ(read(slice, 0, 4), "3456");
  EXPECT_EQ(read(slice, 3, 1), "6");
  EXPECT_ERROR(read(slice, 3, 2), "not all inside the 4 bytes");
  EXPECT_ERROR(read(slice, -1, 1), "not all inside");
  EXPECT_EQ(CorpusSlice{}.size(), 0);
  EXPECT_ERROR(read(CorpusSlice{}, 0, 1), "not all inside");
}

TEST(Corpus, Digest) {
  const TemporaryFolder folder;
  std::string content(1 << 20, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 2654435761u >> 13);
  const std::uint64_t digest = Corpus({folder.write("a", content)}).digest();
  EXPECT_EQ(Corpus({folder.write("moved/b", content)}).digest(), digest);

  std::string changed = content;
  changed.back() ^= 1;
  EXPECT_NE(Corpus({folder.write("c", changed)}).digest(), digest);
  changed = content;
  changed.front() ^= 1;
  EXPECT_NE(Corpus({folder.write("c", changed)}).digest(), digest);
  EXPECT_NE(Corpus({folder.write("c", content + "x")}).digest(), digest);

  const std::string first = folder.write("1", content.substr(0, 1000)), second = folder.write("2", content.substr(1000));
  EXPECT_NE(Corpus({first, second}).digest(), digest) << "the same bytes, cut into other files";
  EXPECT_NE(Corpus({first, second}, "\n").digest(), Corpus({first, second}, "\t").digest());
  EXPECT_NE(Corpus({folder.write("s", "a")}).digest(), Corpus({folder.write("t", "b")}).digest());
}

TEST(Corpus, Pieces) {
  const TemporaryFolder folder;
  const Corpus whole({folder.write("a", "0123456789"), folder.write("b", "abcdefghij")}, "--");
  const Corpus part = whole.pieces(Ranges{{2, 5}, {8, 13}, {15, 15}, {20, 22}});
  EXPECT_EQ(all(part), "234--89--a--ij");
  ASSERT_EQ(part.files().size(), 4u);
  EXPECT_EQ(part.files()[1].begin, 8);
  EXPECT_EQ(part.files()[2].begin, 0);
  EXPECT_EQ(part.files()[3].begin, 8);
  EXPECT_EQ(part.files()[3].path, folder / "b");
  EXPECT_EQ(all(part.pieces(Ranges{{1, 6}})), "34--8");
  EXPECT_NE(part.digest(), whole.digest());
  EXPECT_ERROR(whole.pieces(Ranges{{10, 12}}), "no byte of the data");
  EXPECT_ERROR(whole.pieces(Ranges{{10, 23}}), "not all inside");
}

TEST(Corpus, LeavesOutRunsInsideAFolder) {
  const TemporaryFolder folder;
  folder.write("data/a", "[a]");
  folder.write("data/runs/one/config.json", "{}");
  folder.write("data/runs/one/metrics.jsonl", "");
  folder.write("data/model/config.json", "[no run]");
  EXPECT_EQ(all(Corpus({folder / "data"})), "[a][no run]");
  EXPECT_EQ(all(Corpus({folder / "data"}, "", Folders::whole)), "[a][no run]{}");
  EXPECT_EQ(all(Corpus({folder / "data/runs/one"})), "{}") << "a run that is named itself";
  EXPECT_ERROR(Corpus({folder / "data/runs"}), "runs holds no files outside of the folders of runs");
}

TEST(Corpus, MoreFilesThanDescriptors) {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) paths.push_back(folder.write(std::to_string(i), "x"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{48, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::string content, problem = error_of([&] {
                         const Corpus one(paths), two(paths);
                         content = all(one) + all(two);
                       });
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(content, std::string(200, 'x'));
}

TEST(Corpus, PatternsChooseFilesOfFolders) {
  TemporaryFolder folder;
  for (const char* name : {"data/a.txt", "data/b.md", "data/notes/a.txt", "data/notes/old/c.txt", "data/[x].txt"})
    folder.write(name, std::string("[") + (name + 5) + "]");
  const std::string single = folder.write("single.bin", "[single]");
  const auto chosen = [&](const FilePatterns& patterns, const std::string& data = "data") {
    return all(Corpus({folder / data, single}, "", Folders::without_runs, patterns));
  };
  EXPECT_EQ(chosen({.include = {"*.md"}}), "[b.md][single]");
  EXPECT_EQ(chosen({.include = {"*.md"}}, "data/"), "[b.md][single]");
  EXPECT_EQ(chosen({.include = {"*.md", "c*"}}), "[b.md][notes/old/c.txt][single]");
  EXPECT_EQ(chosen({.exclude = {"a.txt"}}), "[[x].txt][b.md][notes/old/c.txt][single]");
  EXPECT_EQ(chosen({.include = {"*.txt"}, .exclude = {"notes/*"}}), "[[x].txt][a.txt][single]");
  EXPECT_EQ(chosen({.include = {"*.txt"}, .exclude = {"notes/"}}, "data//"), "[[x].txt][a.txt][single]");
  EXPECT_EQ(chosen({.include = {"*/a.t?t", "[[]x*"}}), "[[x].txt][notes/a.txt][single]");
  EXPECT_EQ(chosen({.include = {"*/old/*"}}), "[notes/old/c.txt][single]");
  // A folder that is left out need not be readable, and is no reason to leave out a link to it.
  fs::create_directory_symlink(folder / "data/notes", folder / "data/z");
  EXPECT_EQ(chosen({.include = {"c*"}, .exclude = {"notes/*"}}), "[notes/old/c.txt][single]");
  fs::permissions(folder / "data/notes/old", fs::perms::none);
  EXPECT_EQ(chosen({.include = {"*.txt"}, .exclude = {"*/old/", "z/"}}), "[[x].txt][a.txt][notes/a.txt][single]");
  fs::permissions(folder / "data/notes/old", fs::perms::all);
  EXPECT_ERROR(chosen({.include = {"*.c", "*.h"}, .exclude = {"x"}}),
               "the patterns (include *.c *.h, exclude x) leave no file of the folder " + folder / "data");
  EXPECT_ERROR(chosen({.exclude = {"*"}}), "the patterns (exclude *) leave no file");
  EXPECT_ERROR(chosen({.exclude = {""}}), "a pattern to exclude files by is empty");
}

TEST(Corpus, PatternsGoByBytesWhateverTheLocale) {
  TemporaryFolder folder;
  folder.write("data/\xc3\xa9", "two bytes");
  folder.write("data/\xff", "no text");
  const auto before = std::string(std::setlocale(LC_ALL, nullptr));
  for (const char* locale : {"C", "C.UTF-8"}) {
    std::setlocale(LC_ALL, locale);
    EXPECT_EQ(all(Corpus({folder / "data"}, "", Folders::whole, {.include = {"?"}})), "no text");
    EXPECT_EQ(all(Corpus({folder / "data"}, "", Folders::whole, {.include = {"??"}})), "two bytes");
  }
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Corpus, FilesSayUnderWhichPathTheyStand) {
  TemporaryFolder folder;
  folder.write("data/a", "aa"), folder.write("data/b", "bb");
  const Corpus corpus({folder.write("x", "x"), folder / "data", folder.write("none", ""), folder / "x"});
  std::vector<std::size_t> paths;
  for (const CorpusFile& file : corpus.files()) paths.push_back(file.path_index);
  EXPECT_EQ(paths, (std::vector<std::size_t>{0, 1, 1, 3}));
  EXPECT_EQ(corpus.pieces(Ranges{{3, 4}}).files().at(0).path_index, 1u);
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_data.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/temporary_folder.h"

namespace megalith {
namespace {

TEST(TrainingData, HoldsOutTheEnd) {
  const TemporaryFolder folder;
  DataConfig config{.train = {folder.write("train", std::string(5000, 'a'))}, .valid_share = 0.1};
  const TrainingData data(config);
  EXPECT_EQ(data.train().size(), 4500);
  EXPECT_EQ(data.valid().size(), 500);
  EXPECT_EQ(data.valid().begin, data.train().end);
  config.valid_share = 0;
  EXPECT_EQ(TrainingData(config).valid().size(), 0);
}

TEST(TrainingData, ReadsFilesOfItsOwnForValidation) {
  const TemporaryFolder folder;
  const TrainingData data(DataConfig{.train = {folder.write("train", "abc")}, .valid = {folder.write("valid", "de")}});
  EXPECT_EQ(data.train().size(), 3);
  ASSERT_EQ(data.valid().size(), 2);
  std::uint8_t bytes[2];
  data.valid().read(0, bytes);
  EXPECT_EQ(bytes[0], 'd');
}

TEST(TrainingData, Errors) {
  const TemporaryFolder folder;
  const std::string file = folder.write("train", "abc");
  EXPECT_ERROR(TrainingData({.train = {file}, .valid = {file}, .valid_share = 0.5}), "give one of them");
  EXPECT_ERROR(TrainingData({.train = {file}, .valid_share = 1}), "must be from 0 to below 1");
  EXPECT_ERROR(TrainingData({.train = {file}, .valid_share = 0.3}), "less than one of its 3 bytes");
}

std::string bytes_of(const CorpusSlice& slice) {
  std::string out(static_cast<std::size_t>(slice.size()), '\0');
  slice.read(0, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

TEST(TrainingData, HoldsOutPiecesFromAllOverAFolder) {
  const TemporaryFolder folder;
  for (const char c : {'a', 'b', 'c', 'd'}) folder.write(std::string("data/") + c, std::string(3000, c));
  DataConfig config{.train = {folder / "data"}, .valid_share = 0.1};
  const TrainingData data(config);
  std::string train, valid;
  for (const char c : {'a', 'b', 'c', 'd'}) train += std::string(2700, c), valid += std::string(300, c);
  EXPECT_EQ(bytes_of(data.train()), train);
  EXPECT_EQ(bytes_of(data.valid()), valid);
  config.spread = false;  // as older runs did
  EXPECT_EQ(bytes_of(TrainingData(config).valid()), std::string(1200, 'd'));
  config.spread = true;
  config.valid_share = 0.03;  // 360 bytes are one stretch
  EXPECT_EQ(bytes_of(TrainingData(config).valid()), std::string(360, 'd'));
}

TEST(TrainingData, HoldsOutTheShareExactly) {
  const TemporaryFolder folder;
  for (int i = 0; i < 90; ++i)
    folder.write("data/" + std::to_string(i), std::string(static_cast<std::size_t>(1000 + 37 * i), 'x'));
  for (const double share : {0.05, 0.333, 0.9}) {
    const TrainingData data({.train = {folder / "data"}, .valid_share = share});
    const auto size = data.corpus().size();
    EXPECT_EQ(data.valid().size(), static_cast<std::int64_t>(share * static_cast<double>(size)));
    EXPECT_EQ(data.train().size() + data.valid().size(), size);
  }
}

TEST(TrainingData, HoldsOutWholeRecords) {
  const TemporaryFolder folder;
  const auto cuts = [](const CorpusSlice& part) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;  // where the pieces of files begin, and their sizes
    for (const CorpusFile& file : part.corpus->files()) {
      const std::int64_t from = std::max(file.offset, part.begin), to = std::min(file.offset + file.size, part.end);
      if (from < to) all.emplace_back(file.begin + from - file.offset, to - from);
    }
    return all;
  };
  const std::string one = folder.write("one", std::string(103, 'x'));
  const TrainingData whole({.train = {one}, .valid_share = 0.5}, 10);
  EXPECT_EQ(cuts(whole.train()), (std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 50}}));
  EXPECT_EQ(cuts(whole.valid()), (std::vector<std::pair<std::int64_t, std::int64_t>>{{50, 53}}));

  for (int i = 0; i < 5; ++i)
    folder.write("many/" + std::to_string(i), std::string(static_cast<std::size_t>(1501 + 7 * i), 'x'));
  for (const bool weighted : {false, true}) {
    DataConfig config{.train = {folder / "many", one}, .valid_share = 0.3, .separator = "--"};
    if (weighted) config.weights = {2, 1};
    const TrainingData data(config, 32);
    for (const CorpusSlice& part : {data.train(), data.valid()})
      for (const auto& [begin, size] : cuts(part)) EXPECT_EQ(begin % 32, 0) << begin << " " << size;
    EXPECT_NEAR(static_cast<double>(data.valid().size()), 0.3 * 7678, 32 * 6 + 20);
  }
  EXPECT_EQ(TrainingData({.train = {one}, .valid_share = 0.01}, 104).train().size(), 0) << "the sampler says so";
}

TEST(TrainingData, SourcesByWeights) {
  const TemporaryFolder folder;
  for (const char c : {'a', 'b', 'c', 'd'}) folder.write(std::string("many/") + c, std::string(3000, c));
  DataConfig config{.train = {folder / "many", folder.write("one", std::string(500, 'x'))}, .weights = {1, 5}};
  config.separator = "--";
  EXPECT_TRUE(TrainingData({.train = config.train}).sources().empty());
  const TrainingData whole(config);
  ASSERT_EQ(whole.sources().size(), 2u);
  EXPECT_EQ(whole.sources()[0].data.size(), 12006);
  EXPECT_EQ(bytes_of(whole.sources()[1].data), std::string(500, 'x'));
  EXPECT_EQ(whole.sources()[1].weight, 5);

  config.valid_share = 0.1;  // of each path, whatever its weight
  const TrainingData split(config);
  std::string many;
  for (const char c : {'a', 'b', 'c', 'd'}) many += std::string(2700, c) + (c == 'd' ? "" : "--");
  ASSERT_EQ(split.sources().size(), 2u);
  // The stretches are those of the bytes with separators, which lie a few bytes off the files.
  EXPECT_NEAR(static_cast<double>(split.sources()[0].data.size()), static_cast<double>(many.size()), 16);
  EXPECT_EQ(bytes_of(split.sources()[1].data), std::string(450, 'x'));
  const std::string valid = bytes_of(split.valid());
  EXPECT_TRUE(valid.ends_with("--" + std::string(50, 'x'))) << valid.size();
  for (const char c : {'a', 'b', 'c', 'd'})
    EXPECT_NEAR(static_cast<double>(std::count(valid.begin(), valid.end(), c)), 300, 8) << c;
  config.spread = false;
  const std::string ends = bytes_of(TrainingData(config).valid());
  EXPECT_EQ(ends, std::string(1200, 'd') + "--" + std::string(50, 'x'));

  config.spread = true;
  config.weights = {1};
  EXPECT_ERROR(TrainingData{config}, "2 paths, and the number of weights is 1; give one weight for each path");
  config.weights = {1, 2};
  config.train[1] = folder.write("short", "five!");
  EXPECT_ERROR(TrainingData{config}, "a share of 0.1 of " + folder / "short for validation is less than one of its 5 bytes");
  config.train[1] = folder.write("none", "");
  EXPECT_ERROR(TrainingData{config}, "there are no bytes to learn from in " + folder / "none");
}

TEST(TrainingData, PatternsAreForTrainingAndValidation) {
  const TemporaryFolder folder;
  folder.write("t/a.txt", "a"), folder.write("t/b", "b"), folder.write("v/c.txt", "c"), folder.write("v/d", "d");
  const TrainingData data({.train = {folder / "t"}, .valid = {folder / "v"}, .include = {"*.txt"}});
  EXPECT_EQ(bytes_of(data.train()), "a");
  EXPECT_EQ(bytes_of(data.valid()), "c");
}

}  // namespace
}  // namespace megalith

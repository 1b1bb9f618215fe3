// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/training_data.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace megalith

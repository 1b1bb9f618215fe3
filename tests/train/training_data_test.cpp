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

}  // namespace
}  // namespace megalith

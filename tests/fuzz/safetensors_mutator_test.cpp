// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

/// Stands for that of libFuzzer: appends as many bytes as there is room for.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size) {
  std::fill(data + size, data + max_size, std::uint8_t{'+'});
  return max_size;
}

namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + rest;
}

std::string mutated(std::string file, std::size_t max_size, unsigned seed) {
  const std::size_t size = file.size();
  file.resize(max_size);
  auto* const data = reinterpret_cast<std::uint8_t*>(file.data());
  file.resize(LLVMFuzzerCustomMutator(data, size, max_size, seed));
  return file;
}

TEST(SafetensorsMutator, KeepsTheLengthOfTheHeaderRight) {
  const std::string file = with_length(2, "{}numbers");
  EXPECT_EQ(mutated(file, file.size() + 3, 2), with_length(5, "{}+++numbers"));
  EXPECT_EQ(mutated(file, file.size() + 3, 1), with_length(2, "{}numbers+++"));
  EXPECT_EQ(mutated(with_length(99, "{}"), 13, 2), with_length(5, "{}+++"));  // a wrong one becomes right
}

TEST(SafetensorsMutator, ChangesAnythingNowAndThen) {
  EXPECT_EQ(mutated(with_length(99, "{}"), 13, 16), with_length(99, "{}+++"));
  EXPECT_EQ(mutated("short", 7, 2), "short++");  // no length to mend
  EXPECT_EQ(mutated("", 8, 2), "++++++++");
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// A model small enough to be trained in a moment, text to train it on, and a folder for both.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <regex>
#include <string>
#include <vector>

#include "megalith/models/config_json.h"
#include "support/temporary_folder.h"
#include "tool_process.h"

namespace megalith::tests {

inline constexpr Index kPatch = 8, kLength = 48;

/// MEGABYTE in miniature, its weights wide enough that every byte in view changes the loss of every later one.
inline ModelConfig miniature() {
  return {.length = kLength,
          .scales = {{.patch = kPatch, .stack = {.width = 32, .layers = 1, .block = TransformerConfig{.heads = 2}}},
                     {.patch = 1, .stack = {.width = 16, .layers = 1, .block = TransformerConfig{.heads = 2}}}},
          .init_std = 0.3,
          .residual_init = 1};
}

/// Text of that many bytes, no two lines alike.
inline std::string some_text(std::size_t bytes, int first = 0) {
  std::string text;
  for (int i = first; text.size() < bytes; ++i)
    text += "line " + std::to_string(i * 7919 % 10007) + " says that " + std::to_string(i) + " is not the last number.\n";
  return text.substr(0, bytes);
}

class ToolTest : public ::testing::Test {
 protected:
  ToolTest() {
    folder.write("model.json", to_json(miniature()));
    folder.write("data/a.txt", some_text(6000));
    folder.write("data/b.txt", some_text(3000, 500));
    folder.write("valid.txt", some_text(1000, 900));
  }

  /// The options of a short run on the folder's data, with more of them behind.
  std::vector<std::string> train_options(const std::string& run, std::vector<std::string> more = {}) const {
    std::vector<std::string> all{
        "train", "--data",     folder / "data", "--valid", folder / "valid.txt", "--model", folder / "model.json",
        "--out", folder / run, "--batch",       "2",       "--threads",          "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome train(const std::string& run, std::vector<std::string> more = {"--steps", "12"}) const {
    return run_tool(train_options(run, std::move(more)));
  }
  Outcome resume(const std::string& run, std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"train", "--out", folder / run, "--resume"};
    all.insert(all.end(), more.begin(), more.end());
    return run_tool(all);
  }

  const TemporaryFolder folder;
};

/// The regular expression of the line that verbs which compute start with, without its end.
inline const std::string kStartLine = "megalith [0-9.]+: [0-9]+ threads?, .*products.*";

/// Expects that line on standard error, and `after` it.
inline void expect_start_line(const std::string& err, const std::string& after = "") {
  EXPECT_TRUE(std::regex_match(err, std::regex(kStartLine + "\n" + after))) << err;
}

/// Expects exit code 1 or 2 with one line on standard error that contains each of the words.
inline void expect_refusal(const Outcome& outcome, int code, const std::vector<std::string>& words) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  for (const std::string& word : words)
    EXPECT_NE(outcome.err.find(word), std::string::npos) << "'" << word << "' is missing in: " << outcome.err;
}

}  // namespace megalith::tests

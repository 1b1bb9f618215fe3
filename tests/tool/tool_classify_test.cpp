// SPDX-License-Identifier: Apache-2.0
// To which run things belong, as megalith classify tells it.
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolClassify : ToolTest {
  void SetUp() override {
    folder.write("upper/x", std::string(4000, 'A'));
    folder.write("lower/x", std::string(4000, 'b'));
    for (const std::string name : {"upper", "lower"}) {
      const Outcome trained = run_tool({"train", "--data", folder / name, "--model", folder / "model.json", "--out",
                                        folder / ("of " + name), "--batch", "2", "--steps", "60", "--lr", "0.01"});
      ASSERT_EQ(trained.code, 0) << trained.err;
    }
  }
  Outcome classify(std::vector<std::string> more, const std::string& input = "") const {
    std::vector<std::string> all{"classify", folder / "of upper", folder / "of lower"};
    all.insert(all.end(), more.begin(), more.end());
    return run_tool(all, input);
  }
};

/// Fields of the lines behind the first, which names them.
std::vector<std::vector<std::string>> rows(const std::string& out) {
  std::vector<std::vector<std::string>> all;
  std::istringstream lines(out);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    all.emplace_back();
    std::istringstream words(line);
    for (std::string word; std::getline(words, word, '\t');) all.back().push_back(word);
  }
  return all;
}

TEST_F(ToolClassify, FilesLinesAndPipes) {
  const std::string up = folder.write("f/1", std::string(300, 'A')), low = folder.write("f/2", std::string(70, 'b') + "\n");
  Outcome outcome = classify({"--data", folder / "f"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("best\tp(" + folder / "of upper" + ")\tp("));
  auto found = rows(outcome.out);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0][0], folder / "of upper");
  EXPECT_EQ(found[1][0], folder / "of lower");
  EXPECT_GT(std::stod(found[0][1]), 0.99);
  EXPECT_NEAR(std::stod(found[0][1]) + std::stod(found[0][2]), 1, 1e-5);
  EXPECT_LT(std::stod(found[0][3]), std::stod(found[0][4]));
  EXPECT_EQ(found[1][5], "71");
  EXPECT_EQ(found[1][6], low);

  found = rows(classify({"--lines"}, "AAAAAAAAAAAA\nbbbbbbbbbbbbbbb\nAAAAAAAAA").out);
  ASSERT_EQ(found.size(), 3u);
  for (const std::size_t i : {0u, 1u, 2u}) EXPECT_EQ(found[i][0], folder / (i == 1 ? "of lower" : "of upper"));
  EXPECT_EQ(found[1][6], "-:2");
  EXPECT_EQ(found[1][7], "bbbbbbbbbbbbbbb");
  EXPECT_EQ(rows(classify({"--data", folder / "f", "--lines"}).out).size(), 2u);

  found = rows(classify({"--data", "-"}, read_file(up)).out);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0][0], folder / "of upper");
  outcome = classify({"--json", "--lines"}, "bbbb\xff\n");
  const nlohmann::json line = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(line["best"], folder / "of lower");
  EXPECT_EQ(line["bytes"], 6);
  EXPECT_EQ(line["text"], "bbbb\uFFFD");
  EXPECT_GT(line["probabilities"][folder / "of lower"].get<double>(), 0.5);
}

TEST_F(ToolClassify, ForeignBytesHaveAFloor) {
  std::string foreign;
  for (int v = 128; v < 256; ++v) foreign += static_cast<char>(v);
  const auto found = rows(classify({"--data", folder.write("x", foreign)}).out);
  ASSERT_EQ(found.size(), 1u);
  for (const std::size_t i : {3u, 4u}) EXPECT_LE(std::stod(found[0][i]), 16.0);
}

TEST_F(ToolClassify, Refusals) {
  const std::string data = folder / "valid.txt";
  expect_refusal(run_tool({"classify", folder / "of upper", "--data", data}), 2, {"name two or more"});
  expect_refusal(run_tool({"classify", folder / "of upper", folder / "of upper", "--data", data}), 1, {"named twice"});
  expect_refusal(classify({}), 2, {"--data"});
  expect_refusal(classify({"--data", "-"}), 1, {"standard input is empty"});
  expect_refusal(classify({"--data", folder / "nothing"}), 1, {"nothing"});
  expect_refusal(run_tool({"classify", folder / "of upper", folder / "nothing", "--data", data}), 1, {"nothing"});
}

}  // namespace
}  // namespace megalith::tests

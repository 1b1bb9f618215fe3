// SPDX-License-Identifier: Apache-2.0
// What megalith flops and megalith info tell.
#include <nlohmann/json.hpp>
#include <sstream>

#include "megalith/io/config_file.h"
#include "megalith/models/any_model.h"
#include "support/sanitized.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Json = nlohmann::json;

struct ToolReports : ToolTest {
  Json json(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const Outcome outcome = run_tool(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return Json::parse(outcome.out);
  }
};

TEST_F(ToolReports, FlopsAreThoseOfTheModels) {
  const Json all =
      json({"flops", "--model", "megabyte-tiny", "--model", folder / "model.json", "--length", "16", "--length", "48"});
  ASSERT_EQ(all["models"].size(), 2u);
  for (const Json& model : all["models"]) {
    ASSERT_EQ(model["lengths"].size(), 2u);
    for (const Json& at : model["lengths"]) {
      const Index T = at["length"];
      const double flops = make_model(load_config(model["name"]))->flops({1, T}) / static_cast<double>(T);
      EXPECT_DOUBLE_EQ(at["forward"], flops);
      EXPECT_DOUBLE_EQ(at["training"], 3 * flops);
      double sum = 0;
      for (const Json& part : at["parts"]) sum += part.get<double>();
      EXPECT_DOUBLE_EQ(sum, flops);
    }
  }
}

TEST_F(ToolReports, FlopsCompareArchitecturesWithoutAModel) {
  const Json all = json({"flops"});
  ASSERT_EQ(all["models"].size(), 12u);
  EXPECT_EQ(all["models"][2]["attention"], "computed");
  EXPECT_EQ(all["models"][3]["attention"], "9 D");
  EXPECT_EQ(all["models"][0]["lengths"].size(), 6u);
  const Outcome plain = run_tool({"flops"});
  EXPECT_EQ(plain.code, 0);
  for (const char* part : {"MEGABYTE 452M + 151M", "linear transformer 173.9B", "linear transformer 173.9B, 9 D", "cost 43 times that", "global attention", "training", "1,048,576",
                           "j <= i", "attention is 1.4 % of GPT-3's cost: here 1.4 %", "the layers hold 705M + 226M"})
    EXPECT_NE(plain.out.find(part), std::string::npos) << part << "\n" << plain.out;
}

TEST_F(ToolReports, TablesAreAligned) {
  const Outcome outcome = run_tool({"flops", "--model", "megabyte-small"});
  std::istringstream lines(outcome.out.substr(outcome.out.find("  length")));
  std::string header, row;
  std::getline(lines, header);
  for (int rows = 0; rows < 6; ++rows) {
    ASSERT_TRUE(std::getline(lines, row));
    EXPECT_EQ(row.size(), header.size()) << outcome.out;
  }
}

TEST_F(ToolReports, FlopsTakeWholeUnits) {
  const Json all = json({"flops", "--model", "paper-image256"});
  EXPECT_EQ(all["models"][0]["lengths"][0]["length"], 960);  // 5 patches of 192, the most within 1,024
  expect_refusal(run_tool({"flops", "--model", "paper-image256", "--length", "1000"}), 1, {"1000", "192", "960"});
  expect_refusal(run_tool({"flops", "--model", "megabyte-smal"}), 1, {"megabyte-small"});
  expect_refusal(run_tool({"flops", "--length", "0"}), 2, {"--length", "'0'"});
}

TEST_F(ToolReports, InfoTellsParametersAndMemory) {
  const Json small = json({"info", "megabyte-small"});
  EXPECT_EQ(small["parameters"]["in all"], 20662016);
  EXPECT_EQ(small["training memory"]["weights"], 4.0 * 20662016);
  const Json twice = json({"info", "megabyte-small", "--batch", std::to_string(2 * small["batch"]["windows"].get<int>())});
  EXPECT_GT(twice["training memory"]["tape"].get<double>(), 1.5 * small["training memory"]["tape"].get<double>());
  const Json shorter = json({"info", "megabyte-small", "--length", "512"});
  EXPECT_LT(shorter["training memory"]["tape"], small["training memory"]["tape"]);
  const Outcome plain = run_tool({"info", "megabyte-small"});
  for (const char* part : {"20,662,016", "width 512", "global stack", "memory to generate", "condition"})
    EXPECT_NE(plain.out.find(part), std::string::npos) << part << "\n" << plain.out;
}

TEST_F(ToolReports, InfoReadsFilesRunsAndCheckpoints) {
  ASSERT_EQ(train("run").code, 0);
  const Json file = json({"info", folder / "model.json"});
  const Json run = json({"info", folder / "run"});
  const Json checkpoint = json({"info", folder / "run/model.safetensors"});
  EXPECT_EQ(run["config"], file["config"]);
  EXPECT_EQ(checkpoint["config"], file["config"]);
  EXPECT_EQ(run["batch"]["windows"], 2);  // as it was trained
  EXPECT_EQ(json({"info", folder / "run/config.json"}), run);
  expect_refusal(run_tool({"info", folder / "data"}), 1, {"data", "model.safetensors"});
  expect_refusal(run_tool({"info", folder / "nothing"}), 1, {"nothing"});
  expect_refusal(run_tool({"info", folder / "model.json", "--length", "50"}), 1, {"50", "8"});
}

/// RssAnon of a process in bytes; 0 where the system does not tell.
double anonymous_memory(const Tool& tool) {
  const std::string status = read_file("/proc/" + std::to_string(tool.process()) + "/status");
  const std::size_t at = status.find("RssAnon:");
  return at == status.npos ? 0 : 1024 * std::stod(status.substr(at + 8));
}

// What is told must be what a process takes, within 10 %.
TEST_F(ToolReports, MemoryIsThatOfAProcess) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's own memory counts";
  for (const std::string model : {"megabyte-books", "vanilla-small-flops"}) {
    const Json told = json({"info", model, "--batch", "8"});
    const auto expect_told = [&](const Tool& tool, const char* part) {
      const double taken = anonymous_memory(tool), expected = told[part]["in all"];
      EXPECT_NEAR(taken / expected, 1, 0.1) << model << ", " << part << ": " << taken << " of " << expected;
    };
    const std::string run = folder / model;
    {
      const Tool tool({"train", "--data", folder / "data", "--model", model, "--batch", "8", "--steps", "1000000", "--out",
                       run, "--threads", "2"});
      if (anonymous_memory(tool) == 0) GTEST_SKIP() << "this system does not tell";
      // The first line comes after the first step, when everything has been touched.
      ASSERT_TRUE(wait_until([&] { return tool.errors_so_far().find("step ") != std::string::npos; }))
          << tool.errors_so_far();
      expect_told(tool, "training memory");
    }
    const Tool tool({"generate", run, "--bytes", "100000", "--threads", "2"});  // from the weights before the first step
    ASSERT_TRUE(wait_until([&] { return !tool.output_so_far().empty(); })) << tool.errors_so_far();
    expect_told(tool, "generation memory");
  }
}

}  // namespace
}  // namespace megalith::tests

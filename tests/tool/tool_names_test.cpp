// SPDX-License-Identifier: Apache-2.0
// Names of files that a terminal would act on, and names that are not text.
#include <nlohmann/json.hpp>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

const std::string kWild = "a \x1b[31m\n\t'\\ b", kShown = "a \\x1b[31m\\n\\t'\\ b";

struct ToolNames : ToolTest {
  std::vector<std::string> short_run(const std::string& data, const std::string& run) const {
    return {"train", "--data", data, "--out", run, "--model", folder / "model.json", "--steps", "3", "--batch", "2"};
  }
  /// No byte that a terminal acts on but ends of lines.
  static void expect_harmless(const std::string& printed) {
    for (const char byte : printed) EXPECT_TRUE(byte == '\n' || (byte & 0xE0) != 0) << printed;
  }
};

TEST_F(ToolNames, AreShownInSentences) {
  for (const std::string& given : {folder / kWild, "\xff" + kWild}) {
    const Outcome outcome = run_tool({"eval", given, "--data", folder / "data"});
    expect_refusal(outcome, 1, {kShown});
    expect_harmless(outcome.err);
  }
  for (const std::vector<std::string>& usage :
       {std::vector<std::string>{kWild}, {"models", "--" + kWild}, {"eval", "x", "--data", "x", "--html-bytes", kWild}}) {
    const Outcome outcome = run_tool(usage);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_NE(outcome.err.find("\\x1b[31m\\n"), std::string::npos) << outcome.err;
    expect_harmless(outcome.err);
  }
}

TEST_F(ToolNames, AreShownByARunAndItsCommandsWork) {
  const std::string data = folder.write(kWild, some_text(3000)), run = folder / "run " + kWild;
  const Outcome trained = run_tool(short_run(data, run));
  EXPECT_EQ(trained.code, 0) << trained.err;
  expect_harmless(trained.out + trained.err);
  EXPECT_NE(trained.out.find("the run is in " + folder / "run " + kShown), std::string::npos) << trained.out;
  const std::string before = "to read from it: ";
  const std::size_t at = trained.out.find(before);
  ASSERT_NE(at, std::string::npos) << trained.out;
  folder.write("command", trained.out.substr(at + before.size()));
  EXPECT_EQ(std::system(("bash '" + folder / "command' > '" + folder / "out' 2> '" + folder / "err'").c_str()), 0)
      << read_file(folder / "err");
  EXPECT_EQ(read_file(folder / "out").size(), 400u);

  const Outcome evaluated = run_tool({"eval", run, "--data", data, "--html", folder / "page.html"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  expect_harmless(evaluated.out);
  EXPECT_NE(evaluated.out.find(kShown), std::string::npos) << evaluated.out;
  EXPECT_EQ(run_tool({"train", "--out", run, "--resume"}).code, 0);
}

TEST_F(ToolNames, OfTextStayAsTheyAre) {
  expect_refusal(run_tool({"eval", folder / "größe–字.bin", "--data", folder / "data"}), 1, {"größe–字.bin"});
}

TEST_F(ToolNames, ThatAreNoTextSurviveAResume) {
  for (const std::string name : {"\xff\xfe.txt", "caf\xe9 \xf0\x28\x8c", "\xed\xa0\x80"}) {
    const std::string data = folder.write("odd/" + name, some_text(3000)), run = folder / "run" + name;
    std::vector<std::string> options = short_run(data, run);
    *std::find(options.begin(), options.end(), "3") = "100000";
    Tool tool(options);
    ASSERT_TRUE(wait_until([&] { return !read_file(run + "/metrics.jsonl").empty(); }));
    tool.signal(SIGINT);
    EXPECT_EQ(tool.wait().code, 130);
    EXPECT_TRUE(nlohmann::json::accept(read_file(run + "/config.json"))) << read_file(run + "/config.json");
    Tool again({"train", "--out", run, "--resume"});
    EXPECT_TRUE(wait_until([&] { return again.errors_so_far().find("products") != std::string::npos; }));
    again.signal(SIGINT);
    const Outcome resumed = again.wait();
    EXPECT_EQ(resumed.code, 130) << resumed.err;
    EXPECT_NE(resumed.out.find("going on after step"), std::string::npos) << resumed.out;
  }
}

TEST_F(ToolNames, OfModelsLeaveJsonValid) {
  const std::string model = folder.write("\xff" + kWild + ".json", to_json(miniature()));
  const Outcome json = run_tool({"flops", "--json", "--model", model});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_TRUE(nlohmann::json::accept(json.out)) << json.out;
  EXPECT_TRUE(nlohmann::json::accept(run_tool({"info", "--json", model}).out));
  const Outcome table = run_tool({"flops", "--model", model});
  EXPECT_EQ(table.code, 0) << table.err;
  expect_harmless(table.out);
}

}  // namespace
}  // namespace megalith::tests

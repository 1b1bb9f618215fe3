// SPDX-License-Identifier: Apache-2.0
// Which bytes a run learns from: weights of paths, and patterns for the files of folders.
#include <nlohmann/json.hpp>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;

struct ToolData : ToolTest {
  Arguments options(const std::string& run, const Arguments& data, const Arguments& more) const {
    Arguments all{"train", "--data"};
    all.insert(all.end(), data.begin(), data.end());
    all.insert(all.end(), {"--model", folder / "model.json", "--out", folder / run, "--batch", "2"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome run(const std::string& run, const Arguments& data, const Arguments& more = {"--steps", "3"}) const {
    return run_tool(options(run, data, more));
  }
  nlohmann::json data_of(const std::string& run) const {
    return nlohmann::json::parse(read_file(folder / run + "/config.json"))["data"];
  }
  std::string model(const std::string& run) const { return read_file(folder / run + "/model.safetensors"); }
  void expect_says(const Outcome& outcome, const std::string& words) const {
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(words), std::string::npos) << outcome.out;
  }
};

TEST_F(ToolData, WeightsAreToldAndKept) {
  const std::string a = folder / "data/a.txt", b = folder / "data/b.txt";
  const Outcome weighted = run("weighted", {a + ":3", b});
  expect_says(weighted,
              "\nwindows: 75 % from " + a + " (6,000 bytes in 1 file), 25 % from " + b + " (3,000 bytes in 1 file)\n");
  EXPECT_EQ(data_of("weighted")["train"], (Arguments{a, b}));
  EXPECT_EQ(data_of("weighted")["weights"], (std::vector<double>{3, 1}));
  EXPECT_NE(read_file(folder / "weighted/report.html").find("a.txt (weight 3), "), std::string::npos);
  expect_says(run("decimal", {a + ":0.5", b + ":7.5e0"}), "windows: 94 % from " + b);
  EXPECT_EQ(run("plain", {a, b}).out.find("windows: 75"), std::string::npos);
  EXPECT_EQ(data_of("plain")["weights"], std::vector<double>{});
  EXPECT_TRUE(model("plain") != model("weighted"));

  // A run that was stopped knows them, whether or not they are given again, and refuses others.
  Tool tool(options("stopped", {a + ":3", b + ":1"}, {"--steps", "300", "--threads", "2"}));
  ASSERT_TRUE(wait_until([&] { return !read_file(folder / "stopped/metrics.jsonl").empty(); }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  expect_refusal(resume("stopped", {"--data", a + ":4", b}), 1, {"weights in --data is 4:1", "started with 3:1"});
  expect_refusal(resume("stopped", {"--data", a}), 1, {"1 paths, and the number of weights is 2"});
  std::filesystem::rename(folder / "data", folder / "moved");
  EXPECT_EQ(resume("stopped", {"--data", folder / "moved/a.txt", folder / "moved/b.txt:1", "--threads", "1"}).code, 1);
  const Outcome resumed = resume("stopped", {"--data", folder / "moved/a.txt:3", folder / "moved/b.txt", "--threads", "1"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  std::filesystem::rename(folder / "moved", folder / "data");
  ASSERT_EQ(run("whole", {a + ":3", b}, {"--steps", "300"}).code, 0);
  EXPECT_TRUE(model("stopped") == model("whole"));
}

TEST_F(ToolData, APathThatLooksLikeOneWithAWeight) {
  const std::string odd = folder.write("data/a.txt:3", some_text(4000, 77)), plain = folder / "data/a.txt";
  ASSERT_EQ(run("odd", {odd}).code, 0);
  EXPECT_EQ(data_of("odd")["train"], Arguments{odd});
  EXPECT_EQ(data_of("odd")["weights"], std::vector<double>{});
  ASSERT_EQ(run("both", {odd + ":2", plain}).code, 0);
  EXPECT_EQ(data_of("both")["train"], (Arguments{odd, plain}));
  EXPECT_EQ(data_of("both")["weights"], (std::vector<double>{2, 1}));
  const Outcome piped = run_tool(options("piped", {plain + ":2", "-:1"}, {"--steps", "3"}), some_text(3000));
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(data_of("piped")["train"], (Arguments{plain, folder / "piped/stdin.bin"}));
}

TEST_F(ToolData, BadWeights) {
  const std::string a = folder / "data/a.txt";
  for (const char* weight : {"0", "-1", "nan", "inf", "", "three", "1e999", "0x3", "3 "})
    expect_refusal(run("run", {a + ":" + weight, folder / "data"}), 2,
                   {"--data: the weight of " + a + " is '" + weight + "', and must be a number above 0"});
  expect_refusal(run("run", {folder / "nothing:3"}), 1, {"cannot read " + folder / "nothing: No such file"});
  expect_refusal(run("run", {folder / "nothing:three"}), 1, {"cannot read " + folder / "nothing:three: No such file"});
  expect_refusal(run("run", {a + ":1e308", folder / "data:1e308"}), 1, {"give smaller ones"});
  expect_refusal(run("run", {a + ":2", folder.write("short", "short")}), 1, {folder / "short have 5 bytes", "48"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_F(ToolData, PatternsAreKept) {
  folder.write("data/c.bin", some_text(5000, 300));
  folder.write("data/old/a.txt", some_text(5000, 400));
  const Arguments patterns{"--include", "*.txt", "*.md", "--exclude", "old/*", "--steps", "300"};
  ASSERT_EQ(run("files", {folder / "data/a.txt", folder / "data/b.txt"}, {"--steps", "300"}).code, 0);
  Tool tool(options("run", {folder / "data"}, patterns));
  ASSERT_TRUE(wait_until([&] { return !read_file(folder / "run/metrics.jsonl").empty(); }));
  tool.signal(SIGINT);
  const Outcome stopped = tool.wait();
  ASSERT_EQ(stopped.code, 130);
  EXPECT_NE(stopped.out.find("data: 9,000 bytes in 2 files"), std::string::npos) << stopped.out;
  EXPECT_EQ(data_of("run")["include"], (Arguments{"*.txt", "*.md"}));
  EXPECT_EQ(data_of("run")["exclude"], Arguments{"old/*"});
  expect_refusal(resume("run", {"--include", "*"}), 1, {"--include is *", "started with *.txt *.md"});
  EXPECT_EQ(resume("run", {"--exclude", "old/*"}).code, 0);
  EXPECT_TRUE(model("run") == model("files"));
  EXPECT_NE(read_file(folder / "run/report.html").find("include *.txt *.md, exclude old/*"), std::string::npos);
  expect_refusal(run("none", {folder / "data"}, {"--include", "*.c"}), 1,
                 {"the patterns (include *.c) leave no file of the folder " + folder / "data"});
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));

  for (const Arguments& verb : {Arguments{"eval", folder / "run"},
                                {"classify", folder / "run", folder / "files"},
                                {"embed", folder / "run", "--out", folder / "vectors"}}) {
    Arguments all = verb;
    all.insert(all.end(), {"--data", folder / "data", "--include", "[ac]*", "--exclude", "old/"});
    const Outcome outcome = run_tool(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("data/a.txt"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("data/c.bin"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("b.txt"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.find("old/a.txt"), std::string::npos) << outcome.out;
    all.insert(all.end(), {"*"});
    expect_refusal(run_tool(all), 1, {"leave no file of the folder"});
  }
}

TEST_F(ToolData, WhatReadsDataSaysWhatIsWrongWithThem) {
  ASSERT_EQ(run("one", {folder / "data"}).code, 0);
  ASSERT_EQ(run("two", {folder / "data"}).code, 0);
  const std::string nul = folder.write("nul", std::string("a\0b\0\n\0\n", 7)), empty = folder.write("empty", "");
  const std::string tool = std::string("'") + MEGALITH_TOOL + "' ", quiet = " 2> '" + folder / "err'";
  for (const std::string verb : {"eval one", "eval one --lines", "eval one --json --lines=alone", "eval one --stride 8",
                                 "classify one two", "classify one two --lines --json", "embed one --out v"}) {
    const auto code = [&](const std::string& rest) {
      const std::string command = "cd '" + folder.path() + "' && " + tool + verb + " " + rest;
      return WEXITSTATUS(std::system(("bash -c \"" + command + "\" < /dev/null > out" + quiet).c_str()));
    };
    EXPECT_EQ(code("--data nul"), 0) << verb;
    EXPECT_EQ(code("--data - < nul"), 0) << verb;
    EXPECT_EQ(code("--data nul >&-"), 0) << verb;
    EXPECT_EQ(code("--data nul | true; exit \\${PIPESTATUS[0]}") % 141, 0) << verb;
    for (const char* bad : {"nothing", "empty", "/dev/zero", "/proc/cpuinfo", "<(cat nul)", "- < empty", "- < ."}) {
      EXPECT_EQ(code(std::string("--data ") + bad), 1) << verb << " " << bad;
      const std::string err = read_file(folder / "err");
      EXPECT_TRUE(err.starts_with("megalith: ") && std::count(err.begin(), err.end(), '\n') == 1) << err;
    }
    EXPECT_EQ(code("--data nul > /dev/full"), 1) << verb;
    EXPECT_EQ(code(""), 2) << verb;
  }
}

}  // namespace
}  // namespace megalith::tests

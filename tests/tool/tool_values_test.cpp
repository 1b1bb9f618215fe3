// SPDX-License-Identifier: Apache-2.0
// Values of options reach the command as they were given, and what is read says its own reason.
#include <fcntl.h>
#include <sys/stat.h>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;

struct ToolValues : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run").code, 0); }
  Outcome generate(const Arguments& more, const std::string& input = "", const Arguments& through = {}) const {
    Arguments all{"generate", folder / "run", "--bytes", "40", "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return run_tool(all, input, through);
  }
  std::string bytes(const Arguments& more) const {
    const Outcome outcome = generate(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
};

TEST_F(ToolValues, NumbersAreDecimal) {
  EXPECT_EQ(bytes({"--seed", "010"}), bytes({"--seed", "10"}));
  EXPECT_EQ(bytes({"--seed=08"}), bytes({"--seed=8"}));
  EXPECT_EQ(bytes({"--top-k", "0010"}), bytes({"--top-k", "10"}));
  EXPECT_EQ(train("ten", {"--steps", "010"}).out.find("after 8 steps"), std::string::npos);
  EXPECT_EQ(generate({"--seed", "0x10"}).code, 2);
  EXPECT_EQ(generate({"--seed", "18446744073709551615"}).code, 0);
  expect_refusal(generate({"--seed", "18446744073709551616"}), 2, {"--seed", "more than the largest", "709551615"});
  expect_refusal(train("long", {"--steps", "9223372036854775808"}), 2, {"--steps", "more than the largest", "775807"});
}

TEST_F(ToolValues, AValueThatMayBeLeftOutTakesNoOption) {
  const auto first_line = [&](const Arguments& more) {
    Arguments all{"eval", folder / "run", "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out.substr(0, outcome.out.find('\n'));
  };
  const std::string data = folder / "valid.txt", context = first_line({"--data", data, "--lines"});
  EXPECT_EQ(first_line({"--lines", "--data", data}), context);
  EXPECT_EQ(first_line({"--lines=context", "--data", data}), context);
  EXPECT_EQ(first_line({"--lines", "alone", "--data", data}), first_line({"--data", data, "--lines=alone"}));
  EXPECT_EQ(first_line({"--lines", "--json", "--data", data}), first_line({"--data", data, "--json", "--lines"}));
  EXPECT_EQ(run_tool({"eval", "--lines", folder / "run", "--data", data}).code, 0);
  expect_refusal(run_tool({"eval", folder / "run", "--data", data, "--lines=both"}), 2, {"'both'", "alone"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", data, "--json="}), 2, {"--json takes no value"});
}

TEST_F(ToolValues, AnEmptyValueIsEmptyAndTakesNothing) {
  EXPECT_EQ(bytes({"--prompt=", "--seed=3"}), bytes({"--seed=3"}));
  EXPECT_EQ(bytes({"--prompt", "", "--seed=3"}), bytes({"--seed=3"}));
  for (const char* option : {"--data", "--valid", "--model", "--out", "--init"}) {
    Arguments all = train_options("other", {"--steps", "1"});
    const auto at = std::find(all.begin(), all.end(), option);
    if (at != all.end()) all.erase(at, at + 2);
    all.insert(all.begin() + 1, option + std::string("="));
    expect_refusal(run_tool(all), 2, {option, "is empty"});
  }
  EXPECT_FALSE(exists("other"));
  for (const char* option : {"--per-byte", "--html", "--data"})
    expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "data", option + std::string("=")}), 2,
                   {"is empty"});
  expect_refusal(generate({"--prompt-file="}), 2, {"--prompt-file", "is empty"});
  expect_refusal(run_tool({"generate", "", "--bytes", "3"}), 2, {"is empty"});
  expect_refusal(generate({"--seed="}), 2, {"--seed", "''"});
}

TEST_F(ToolValues, ThatLookLikeOptions) {
  EXPECT_EQ(bytes({"--prompt=--seed"}), bytes({"--prompt", "--seed"}));
  EXPECT_EQ(bytes({"--prompt=-5"}), bytes({"--prompt", "-5"}));
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  Arguments all = train_options("x", {"--steps", "2"});
  const auto at = std::find(all.begin(), all.end(), "--out");
  *at = "--out=-x";
  all.erase(at + 1);
  const Outcome named = run_tool(all);
  EXPECT_EQ(run_tool({"generate", "./-x", "--bytes", "5"}).out.size(), 5u);
  std::filesystem::current_path(here);
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_NE(named.out.find("generate ./-x --bytes"), std::string::npos) << named.out;
}

TEST_F(ToolValues, ThatLookLikeLists) {
  folder.write("[a,b]", some_text(100));
  folder.write("[x]/right", some_text(200));
  folder.write("x", "wrong");
  folder.write("[]", some_text(300));
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto files = [&](const Arguments& data) {
    Arguments all{"eval", "run", "--threads", "1", "--data"};
    all.insert(all.end(), data.begin(), data.end());
    const Outcome outcome = run_tool(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_NE(files({"[a,b]"}).find("\nbytes: 100\n"), std::string::npos);
  EXPECT_NE(files({"[x]"}).find("[x]/right"), std::string::npos);
  EXPECT_NE(files({"[]"}).find("\nbytes: 300\n"), std::string::npos);
  EXPECT_NE(files({"valid.txt", "[a,b]", "[]"}).find("\nbytes: 1400\n"), std::string::npos);
  expect_refusal(run_tool({"generate", "run", "[x]", "--bytes", "3"}), 2, {"nothing to do with '[x]'"});
  std::filesystem::current_path(here);
}

TEST_F(ToolValues, WhatCannotBeReadIsNoEnd) {
  expect_refusal(generate({"--prompt-file", folder.path()}), 1, {"cannot read", "Is a directory"});
  expect_refusal(generate({"--prompt-file", "-"}, "", after("exec < '" + folder.path() + "'")), 1, {"Is a directory"});
  expect_refusal(generate({"--prompt-file", folder / "none"}), 1, {"none: No such file or directory"});
  expect_refusal(generate({"--prompt-file", folder.write("empty", "")}), 1, {"is empty"});
  const Arguments piped{"train", "--data", "-", "--model", folder / "model.json", "--out", folder / "new", "--steps", "1"};
  expect_refusal(run_tool(piped, "", after("exec < '" + folder.path() + "'")), 1,
                 {"cannot read standard input: Is a directory"});
  EXPECT_FALSE(exists("new"));
  expect_refusal(run_tool({"eval", folder / "run", "--data", "-"}), 1, {"standard input"});
  if (exists("/proc/self/status"))
    expect_refusal(run_tool({"eval", folder / "run", "--data", "/proc/self/status"}), 1, {"as files of /proc and /sys do"});
  std::filesystem::create_directory(folder / "run/samples.jsonl");
  expect_refusal(resume("run"), 1, {"samples.jsonl"});
}

TEST_F(ToolValues, InputAndOutputThatDoNotWaitAreWaitedFor) {
  const std::string pipe = folder / "pipe", slow = folder / "slow";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(slow.c_str(), 0600), 0);
  const int in = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK), prompt = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
  const int out = ::open(slow.c_str(), O_RDWR | O_NONBLOCK);
  ASSERT_TRUE(in >= 0 && prompt >= 0 && out >= 0);
  Tool tool({"generate", folder / "run", "--bytes", "100000", "--prompt-file", "-", "--threads", "1"}, "",
            after("exec <&" + std::to_string(in) + " >&" + std::to_string(out)));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // it finds nothing to read, and waits
  ASSERT_EQ(::write(prompt, "ab", 2), 2);
  ::close(prompt);
  std::string got;
  ASSERT_TRUE(wait_until([&] {
    char piece[4096];
    const ssize_t n = ::read(out, piece, sizeof piece);
    if (n > 0) got.append(piece, static_cast<std::size_t>(n));
    return got.size() == 100000;
  }));
  EXPECT_EQ(tool.wait().code, 0);
  ::close(in);
  ::close(out);
}

}  // namespace
}  // namespace megalith::tests

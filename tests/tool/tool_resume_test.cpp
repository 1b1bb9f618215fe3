// SPDX-License-Identifier: Apache-2.0
// A run that was stopped, killed, or refused to go on otherwise.
#include <regex>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

/// Long enough that a signal arrives in the middle.
const std::vector<std::string> kLongRun{"--steps", "500", "--eval-every", "100"};

struct ToolResume : ToolTest {
  bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
  /// Lines of metrics so far.
  auto lines(const std::string& run) const {
    const std::string metrics = read_file(folder / run + "/metrics.jsonl");
    return std::count(metrics.begin(), metrics.end(), '\n');
  }
  std::string model(const std::string& run) const { return read_file(folder / run + "/model.safetensors"); }
  /// metrics.jsonl without the two numbers that depend on the clock.
  std::string metrics(const std::string& run) const {
    return std::regex_replace(read_file(folder / run + "/metrics.jsonl"),
                              std::regex("\"(seconds|bytes_per_second)\": ?[-+.0-9e]+"), "");
  }
  void expect_same_run(const std::string& a, const std::string& b) const {
    EXPECT_TRUE(model(a) == model(b)) << "the weights differ";
    EXPECT_EQ(metrics(a), metrics(b));
  }
};

TEST_F(ToolResume, CtrlCSavesAndTheRunGoesOnToTheSameBits) {
  ASSERT_EQ(train("whole", kLongRun).code, 0);
  Tool tool(train_options("run", kLongRun));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 3; }));
  tool.signal(SIGINT);
  const Outcome stopped = tool.wait();
  EXPECT_EQ(stopped.code, 130) << stopped.out << stopped.err;
  EXPECT_NE(stopped.out.find("megalith train --out " + folder / "run" + " --resume"), std::string::npos) << stopped.out;
  const Outcome resumed = resume("run");
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_same_run("whole", "run");
}

TEST_F(ToolResume, ASecondCtrlCStopsAtOnce) {
  Tool tool(train_options("run", {"--steps", "1", "--accumulate", "100000"}));  // a step that does not end
  ASSERT_TRUE(wait_until([&] { return exists("run/config.json"); }));
  tool.signal(SIGINT);
  ASSERT_TRUE(wait_until([&] { return tool.errors_so_far().find("Ctrl-C again stops at once") != std::string::npos; }));
  tool.signal(SIGINT);
  const Outcome outcome = tool.wait();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.out.find("saved"), std::string::npos) << outcome.out;
}

TEST_F(ToolResume, AKilledRunGoesOnToTheSameBits) {
  std::vector<std::string> often = kLongRun;
  often.insert(often.end(), {"--save-every", "0.0001"});
  ASSERT_EQ(train("whole", kLongRun).code, 0);
  auto run = std::make_unique<Tool>(train_options("run", often));
  int kills = 0;
  for (const int after : {1, 15, 30}) {
    if (!wait_until([&] { return lines("run") >= after; })) break;
    run->signal(SIGKILL);
    if (run->wait().code != 128 + SIGKILL) break;  // it was done before the signal came
    ++kills;
    run = std::make_unique<Tool>(std::vector<std::string>{"train", "--out", folder / "run", "--resume"});
  }
  EXPECT_GE(kills, 1);
  run->wait();
  EXPECT_EQ(resume("run").code, 0);  // a finished run is already where it should be
  expect_same_run("whole", "run");
}

TEST_F(ToolResume, KilledAtItsStartStartsAnew) {
  ASSERT_EQ(train("whole", {"--steps", "200"}).code, 0);
  Tool tool(train_options("run", {"--steps", "200"}));
  ASSERT_TRUE(wait_until([&] { return exists("run/config.json"); }));
  tool.signal(SIGKILL);
  tool.wait();
  EXPECT_EQ(resume("run").code, 0);
  expect_same_run("whole", "run");
}

TEST_F(ToolResume, GoesOnFromAnotherFolderAndOnOtherThreads) {
  std::vector<std::string> options = train_options("run", kLongRun);
  *(std::find(options.begin(), options.end(), "--data") + 1) = std::filesystem::relative(folder / "data").string();
  Tool tool(options);
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder / "data");
  const Outcome resumed = resume("run", {"--threads", "1", "--eval-every", "100", "--save-every", "1"});
  std::filesystem::current_path(here);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ASSERT_EQ(train("whole", kLongRun).code, 0);
  expect_same_run("whole", "run");
}

TEST_F(ToolResume, RefusesWhatWouldChangeTheResult) {
  Tool tool(train_options("run", {"--steps", "100000"}));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  const std::string config = read_file(folder / "run/config.json"), before = model("run");
  const auto refused = [&](const std::vector<std::string>& options, std::vector<std::string> words) {
    expect_refusal(resume("run", options), 1, words);
    EXPECT_EQ(read_file(folder / "run/config.json"), config);
    EXPECT_TRUE(model("run") == before);
  };
  refused({"--steps", "50"}, {"50 steps", "100,000 steps"});
  refused({"--minutes", "5"}, {"5 minutes", "100,000 steps"});
  refused({"--lr", "0.5"}, {"--lr", "0.5", "0.001"});
  refused({"--batch", "3"}, {"--batch", "3", "2"});
  refused({"--accumulate", "3"}, {"--accumulate", "3", "1"});
  refused({"--length", "24"}, {"--length", "24", "48"});
  refused({"--schedule", "linear"}, {"--schedule", "linear", "cooldown"});
  refused({"--dropout", "0.5"}, {"--dropout", "0.5", "0"});
  refused({"--average", "0.5"}, {"--average", "0.5", "0"});
  refused({"--seed", "99"}, {"--seed", "99", "1"});
  refused({"--init", folder / "other"}, {"--init", folder / "other", "none"});
  refused({"--model", "megabyte-tiny"}, {"--model", "megabyte-tiny"});
  refused({"--data", folder / "valid.txt"}, {"data.train was"});
  refused({"--valid", folder / "data"}, {"data.valid was"});
}

TEST_F(ToolResume, RefusesDataThatChanged) {
  Tool tool(train_options("run", {"--steps", "100000"}));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  const std::string valid = read_file(folder / "valid.txt");
  folder.write("valid.txt", valid + "!");
  expect_refusal(resume("run"), 1, {"data.valid was"});
  folder.write("valid.txt", valid);
  folder.write("data/a.txt", some_text(5999));
  expect_refusal(resume("run"), 1, {"data.train was"});
}

TEST_F(ToolResume, FindsDataThatMoved) {
  ASSERT_EQ(train("whole", kLongRun).code, 0);
  Tool tool(train_options("run", kLongRun));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  std::filesystem::rename(folder / "data", folder / "elsewhere");
  expect_refusal(resume("run"), 1, {folder / "data"});
  const Outcome resumed = resume("run", {"--data", folder / "elsewhere/"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_same_run("whole", "run");
}

TEST_F(ToolResume, ARunThatLostItsStateDoesNotStartAnew) {
  ASSERT_EQ(train("run", {"--steps", "12"}).code, 0);
  const std::string before = model("run");
  std::filesystem::remove(folder / "run/state.safetensors");
  expect_refusal(resume("run"), 1, {"lost its state.safetensors", "another folder"});
  EXPECT_TRUE(model("run") == before);
}

TEST_F(ToolResume, ARunThatIsDoneGetsItsModelBack) {
  ASSERT_EQ(train("run", {"--steps", "12", "--eval-every", "4"}).code, 0);
  const std::string before = model("run");
  std::filesystem::remove(folder / "run/model.safetensors");
  EXPECT_EQ(resume("run").code, 0);
  EXPECT_TRUE(model("run") == before);
  std::filesystem::remove(folder / "run/best.safetensors");  // those weights are nowhere else
  const Outcome outcome = resume("run");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("the weights of the best validation are lost"), std::string::npos) << outcome.err;
}

TEST_F(ToolResume, NoSignalHandlerInterruptsAComputation) {
  Tool tool(train_options("run", {"--steps", "100000"}));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  int threads = 0, open_to_signals = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(tool.process()) + "/task")) {
    const std::string status = read_file(task.path() / "status");
    const auto signals = [&](const std::string& name) {
      const std::size_t at = status.find(name + ":");
      return at == status.npos ? ~0ull : std::stoull(status.substr(at + name.size() + 1), nullptr, 16);
    };
    const unsigned long long asked = 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1);
    EXPECT_EQ(signals("SigCgt") & asked, 0u) << "a handler is installed";
    if ((signals("SigBlk") & asked) != asked) ++open_to_signals;
    ++threads;
  }
  EXPECT_GE(threads, 2);
  EXPECT_LE(open_to_signals, 1);  // the one that waits for them
}

TEST_F(ToolResume, SigtermSavesToo) {
  Tool tool(train_options("run", {"--steps", "100000"}));
  ASSERT_TRUE(wait_until([&] { return lines("run") >= 1; }));
  tool.signal(SIGTERM);
  tool.signal(SIGTERM);  // as a sender does that signals the process and its group
  const Outcome stopped = tool.wait();
  EXPECT_EQ(stopped.code, 128 + SIGTERM);
  EXPECT_NE(stopped.out.find("saved"), std::string::npos) << stopped.out;
  Tool again({"train", "--out", folder / "run", "--resume"});
  const auto lines_before = lines("run");
  ASSERT_TRUE(wait_until([&] { return lines("run") > lines_before; }));
  again.signal(SIGINT);
  EXPECT_NE(again.wait().out.find("going on after step "), std::string::npos);
}

TEST_F(ToolResume, AcceptsTheOptionsThatTheRunWasStartedWith) {
  std::vector<std::string> options = train_options("run", {"--steps", "12"});
  ASSERT_EQ(run_tool(options).code, 0);
  options.push_back("--resume");
  EXPECT_EQ(run_tool(options).code, 0);
}

TEST_F(ToolResume, TrainsARunLonger) {
  ASSERT_EQ(train("run", {"--steps", "12"}).code, 0);
  expect_refusal(resume("run", {"--minutes", "+1"}), 1, {"12 steps", "1 minute more"});
  expect_refusal(train("new", {"--steps", "+5"}), 2, {"--steps", "--resume"});
  const Outcome longer = resume("run", {"--steps", "+8"});
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_NE(longer.out.find("after 20 steps"), std::string::npos) << longer.out;
  EXPECT_EQ(resume("run").code, 0) << "it is done again";
  EXPECT_EQ(resume("run", {"--steps", "20"}).code, 0);
  expect_refusal(resume("run", {"--steps", "25"}), 1, {"25 steps", "20 steps"});
}

}  // namespace
}  // namespace megalith::tests

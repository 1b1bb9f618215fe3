// SPDX-License-Identifier: Apache-2.0
// Signals that ask the command to stop, in whatever it is doing.
#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>

#include "megalith/io/safetensors.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolSignals : ToolTest {
  bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
  std::string file(const std::string& name) const { return read_file(folder / name); }
  std::ptrdiff_t lines(const std::string& name) const {
    const std::string all = file(name);
    return std::count(all.begin(), all.end(), '\n');
  }
  std::vector<std::string> temporary_files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      if (entry.path().extension() == ".megalith-tmp") names.push_back(entry.path());
    return names;
  }
  /// A model that takes a moment to be set up.
  std::string large_model() const {
    ModelConfig config = miniature();
    config.scales[0].stack = {.width = 768, .layers = 3, .block = TransformerConfig{.heads = 2}};
    return folder.write("large.json", to_json(config));
  }
};

/// Waits until signals are watched for.
bool watches(const Tool& tool) {
  return wait_until([&] {
    const std::string status = read_file("/proc/" + std::to_string(tool.process()) + "/status");
    const std::size_t at = status.find("SigBlk:");
    return at != status.npos && (std::stoull(status.substr(at + 7), nullptr, 16) & 1ull << (SIGTERM - 1)) != 0;
  });
}

/// Waits until training has begun.
bool trains(const Tool& tool) {
  return wait_until([&] { return tool.errors_so_far().find("products") != std::string::npos; });
}

void expect_ended_by(int signal, const Outcome& outcome) {
  EXPECT_EQ(outcome.signal, signal) << outcome.code << outcome.out << outcome.err;
}

const std::vector<int> kSignals{SIGINT, SIGTERM, SIGHUP};

TEST_F(ToolSignals, EndTheSetUp) {
  for (const int signal : kSignals) {
    Tool tool({"train", "--data", folder / "data", "--model", large_model(), "--out", folder / "run", "--steps", "100000"});
    ASSERT_TRUE(watches(tool));
    tool.signal(signal);
    expect_ended_by(signal, tool.wait());
    EXPECT_FALSE(exists("run"));
  }
}

TEST_F(ToolSignals, EndTheWaitForData) {
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int writer = ::open((folder / "pipe").c_str(), O_RDWR);
  for (const int signal : kSignals) {
    Tool tool({"train", "--data", "-", "--model", folder / "model.json", "--out", folder / "run", "--steps", "5"}, "",
              after("exec < '" + folder / "pipe'"));
    ASSERT_TRUE(wait_until([&] { return exists("run/stdin.bin.megalith-tmp"); }));
    tool.signal(signal);
    expect_ended_by(signal, tool.wait());
    EXPECT_FALSE(exists("run"));
  }
  ::close(writer);
}

TEST_F(ToolSignals, EndTheSetUpAfterAPipe) {
  Tool tool({"train", "--data", "-", "--model", large_model(), "--out", folder / "run", "--steps", "100000"},
            some_text(999));
  ASSERT_TRUE(wait_until([&] { return exists("run/stdin.bin"); }));
  tool.signal(SIGINT);
  expect_ended_by(SIGINT, tool.wait());
  EXPECT_FALSE(exists("run"));
}

TEST_F(ToolSignals, EndASampleThatTheResumedRunTakes) {
  const std::vector<std::string> short_samples{"--sample-every", "1", "--sample-bytes", "40"};
  Tool tool(train_options("run", {"--steps", "3", "--sample-every", "1", "--sample-bytes", "1048576"}));
  ASSERT_TRUE(trains(tool));
  tool.signal(SIGINT);
  const Outcome stopped = tool.wait();
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_NE(stopped.out.find("stopped after step 1 and saved"), std::string::npos) << stopped.out;
  EXPECT_EQ(lines("run/samples.jsonl"), 1) << "the options alone";
  const Outcome resumed = resume("run", short_samples);
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  std::vector<std::string> whole{"--steps", "3"};
  whole.insert(whole.end(), short_samples.begin(), short_samples.end());
  ASSERT_EQ(train("whole", whole).code, 0);
  EXPECT_EQ(file("run/samples.jsonl"), file("whole/samples.jsonl"));
  EXPECT_EQ(lines("run/samples.jsonl"), 4);
}

TEST_F(ToolSignals, EndTheLastSampleOfARunThatIsDone) {
  Tool tool(train_options("run", {"--steps", "1", "--sample-every", "5", "--sample-bytes", "1048576"}));
  ASSERT_TRUE(wait_until([&] { return lines("run/metrics.jsonl") == 1; }));
  tool.signal(SIGINT);
  EXPECT_EQ(tool.wait().code, 130);
  EXPECT_EQ(lines("run/samples.jsonl"), 1) << "the options alone";
  ASSERT_EQ(resume("run", {"--sample-every", "5", "--sample-bytes", "9"}).code, 0);
  EXPECT_EQ(lines("run/samples.jsonl"), 2);
}

TEST_F(ToolSignals, EndAValidation) {
  folder.write("valid.txt", std::string(40'000'000, 'x'));
  Tool tool(train_options("run", {"--steps", "3", "--eval-every", "1", "--eval-bytes", "0"}));
  ASSERT_TRUE(trains(tool));
  tool.signal(SIGTERM);
  const Outcome stopped = tool.wait();
  EXPECT_EQ(stopped.code, 143) << stopped.err;
  EXPECT_NE(stopped.out.find("stopped after step 1 and saved"), std::string::npos) << stopped.out;
  EXPECT_EQ(file("run/metrics.jsonl"), "");
}

TEST_F(ToolSignals, TheSecondEndsAtOnce) {
  for (const int signal : kSignals) {
    const std::string run = "run" + std::to_string(signal);
    Tool tool(train_options(run, {"--steps", "1", "--accumulate", "100000"}));  // a step that does not end
    ASSERT_TRUE(wait_until([&] { return exists(run + "/state.safetensors"); }));
    tool.signal(signal);
    ASSERT_TRUE(wait_until([&] { return tool.errors_so_far().find("again stops at once") != std::string::npos; }));
    const int second = signal == SIGHUP ? SIGTERM : signal;
    if (signal != SIGINT) tool.signal(SIGHUP);  // the terminal of a shell that was told to end closes a little later
    tool.signal(second);
    expect_ended_by(second, tool.wait());
  }
  EXPECT_EQ(temporary_files(), std::vector<std::string>());
}

TEST_F(ToolSignals, AClosedTerminalSaves) {
  std::vector<std::string> options = train_options("run", {"--steps", "100000"});
  std::vector<char*> arguments{const_cast<char*>(MEGALITH_TOOL)};
  for (std::string& option : options) arguments.push_back(option.data());
  arguments.push_back(nullptr);
  int terminal = -1;
  const pid_t process = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (process == 0) {
    ::execv(MEGALITH_TOOL, arguments.data());
    ::_exit(1);
  }
  ASSERT_TRUE(wait_until([&] { return lines("run/metrics.jsonl") >= 1; }));
  ::close(terminal);
  int status = 0;
  ASSERT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 129);
  EXPECT_NE(SafetensorsReader(folder / "run/model.safetensors").metadata().at("step"), "0") << "it did not save";
}

TEST_F(ToolSignals, WhatWasIgnoredStaysSo) {
  Tool tool(train_options("run", {"--steps", "100000"}), "", after("trap '' HUP INT"));  // as nohup in the background
  ASSERT_TRUE(wait_until([&] { return lines("run/metrics.jsonl") >= 1; }));
  tool.signal(SIGHUP);
  tool.signal(SIGINT);
  const auto before = lines("run/metrics.jsonl");
  EXPECT_TRUE(wait_until([&] { return lines("run/metrics.jsonl") > before + 3; }));
  tool.signal(SIGTERM);
  EXPECT_EQ(tool.wait().code, 143);
}

TEST_F(ToolSignals, LeaveNoHalfOfAPage) {
  ASSERT_EQ(train("run").code, 0);
  const std::string text = folder.write("long.txt", std::string(40'000'000, 'x'));
  for (const int signal : kSignals) {
    Tool tool({"eval", folder / "run", "--data", text, "--html", folder / "page.html", "--per-byte", folder / "bits"});
    ASSERT_TRUE(wait_until([&] { return exists("page.html.megalith-tmp") && exists("bits.megalith-tmp"); }));
    tool.signal(signal);
    expect_ended_by(signal, tool.wait());
    EXPECT_EQ(temporary_files(), std::vector<std::string>());
    EXPECT_FALSE(exists("page.html") || exists("bits"));
  }
}

TEST_F(ToolSignals, LeaveNoHalfOfASample) {
  ASSERT_EQ(train("run").code, 0);
  for (const int signal : kSignals) {
    Tool tool({"generate", folder / "run", "--bytes", "1000000000000", "--samples", "3", "--out", folder / "s"});
    ASSERT_TRUE(wait_until([&] { return exists("s-0003.bin.megalith-tmp"); }));
    tool.signal(signal);
    expect_ended_by(signal, tool.wait());
    EXPECT_EQ(temporary_files(), std::vector<std::string>());
    EXPECT_FALSE(exists("s-0001.bin"));
  }
}

TEST_F(ToolSignals, OfQueuesAndLimitsSave) {
  for (const int signal : {SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU}) {
    const std::string run = "run" + std::to_string(signal);
    Tool tool(train_options(run, {"--steps", "1000000"}));
    ASSERT_TRUE(wait_until([&] { return lines(run + "/metrics.jsonl") >= 1; }));
    tool.signal(signal);
    tool.signal(signal);  // limits say it every second
    const Outcome stopped = tool.wait();
    EXPECT_EQ(stopped.code, 128 + signal) << stopped.err;
    EXPECT_NE(stopped.out.find("and saved"), std::string::npos) << stopped.out;
  }
}

TEST_F(ToolSignals, AProcessThatIsStoppedDoesNotTrain) {
  Tool tool(train_options("run", {"--minutes", "0.05"}));
  ASSERT_TRUE(trains(tool));
  const auto start = std::chrono::steady_clock::now();
  tool.signal(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(4));
  tool.signal(SIGCONT);
  EXPECT_EQ(tool.wait().code, 0);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(6)) << "of 3 seconds, hardly one was used before";
}

TEST_F(ToolSignals, BeforeTheFirstSampleLeaveItsOptions) {
  Tool tool(train_options("run", {"--steps", "1000000", "--sample-every", "999999", "--prompt", "line "}));
  ASSERT_TRUE(wait_until([&] { return lines("run/metrics.jsonl") >= 1; }));
  tool.signal(SIGTERM);
  EXPECT_EQ(tool.wait().code, 143);
  EXPECT_NE(file("run/samples.jsonl").find("\"sample_every\":999999,"), std::string::npos) << file("run/samples.jsonl");
  EXPECT_NE(file("run/samples.jsonl").find("\"prompt\":\"line \""), std::string::npos);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// Where the bytes of megalith generate go and where they end: stop strings, readers that leave, files of samples.
#include <cstdlib>
#include <set>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolSamples : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run").code, 0); }

  Outcome run(std::vector<std::string> options) const {
    options.insert(options.begin(), {"generate", folder / "run"});
    return run_tool(options);
  }
  std::string generate(const std::vector<std::string>& options) const {
    const Outcome outcome = run(options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    expect_start_line(outcome.err);
    return outcome.out;
  }
  /// The samples in files `prefix`-0001.bin and on.
  std::vector<std::string> samples(const std::string& prefix, int count, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--samples", std::to_string(count), "--out", folder / prefix});
    EXPECT_EQ(generate(more), "");
    std::vector<std::string> all;
    for (int i = 1; i <= count; ++i) {
      const std::string number = std::to_string(10000 + i).substr(1);
      EXPECT_TRUE(std::filesystem::exists(folder / (prefix + "-" + number + ".bin"))) << number;
      all.push_back(read_file(folder / (prefix + "-" + number + ".bin")));
    }
    return all;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
  }
};

TEST_F(ToolSamples, AStopStringEndsTheBytesBeforeIt) {
  const std::string all = generate({"--bytes", "300"});
  const std::string stop = all.substr(200, 2), other = all.substr(150, 3);
  ASSERT_EQ(stop.find('\0'), std::string::npos);
  EXPECT_EQ(generate({"--bytes", "300", "--stop", stop}), all.substr(0, all.find(stop)));
  EXPECT_EQ(generate({"--bytes", "300", "--stop", stop, "--stop", other}),
            all.substr(0, std::min(all.find(stop), all.find(other))));
  EXPECT_EQ(generate({"--bytes", "300", "--stop", "[not,there]"}), all);
}

TEST_F(ToolSamples, AStopStringMayHaveEscapes) {
  const std::string all = generate({"--bytes", "4000", "--temperature", "2"});
  const auto ends_at = [&](const std::string& escape, const std::string& bytes) {
    ASSERT_NE(all.find(bytes), std::string::npos) << escape;
    EXPECT_EQ(generate({"--bytes", "4000", "--temperature", "2", "--stop", escape}), all.substr(0, all.find(bytes)))
        << escape;
  };
  ends_at("\\n", "\n");
  ends_at("\\t", "\t");
  ends_at("\\r", "\r");
  ends_at("\\0", std::string(1, '\0'));
  ends_at("\\\\", "\\");
  ends_at("\\xfE", "\xfe");
  ends_at("[", "[");
}

TEST_F(ToolSamples, BadStopStringsAreRefused) {
  for (const char* bad : {"\\q", "\\", "\\x1", "\\x-1", "\\x-0", "\\xgg"})
    expect_refusal(run({"--bytes", "5", "--stop", bad}), 2, {"--stop", bad, "backslash"});
  expect_refusal(run({"--bytes", "5", "--stop", ""}), 2, {"--stop", "from 1 to 256"});
  expect_refusal(run({"--bytes", "5", "--stop", std::string(257, 'a')}), 2, {"--stop", "257"});
}

TEST_F(ToolSamples, RepetitionIsPenalised) {
  const std::vector<std::string> greedy{"--bytes", "100", "--temperature", "0"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), greedy.begin(), greedy.end());
    return generate(more);
  };
  const auto values = [](const std::string& bytes) { return std::set<char>(bytes.begin(), bytes.end()).size(); };
  EXPECT_EQ(with({"--repetition-penalty", "1", "--repetition-window", "7"}), with({}));
  EXPECT_GT(values(with({"--repetition-penalty", "5"})), values(with({})) + 10);
  expect_refusal(run({"--bytes", "5", "--repetition-penalty", "0"}), 2, {"--repetition-penalty", "0.01", "100"});
  expect_refusal(run({"--bytes", "5", "--repetition-window", "0"}), 2, {"--repetition-window", "from 1 to 1048576"});
}

TEST_F(ToolSamples, AReaderMayLeave) {
  // More bytes than ever come: the command ends because the reader does.
  const std::string command = std::string("{ '") + MEGALITH_TOOL + "' generate '" + folder / "run" +
                              "' --bytes 1000000000000 2> '" + folder / "err" + "'; echo $? > '" + folder / "code" +
                              "'; } | head -c 10 > '" + folder / "out" + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_file(folder / "code"), "0\n");
  expect_start_line(read_file(folder / "err"));
  EXPECT_EQ(read_file(folder / "out"), generate({"--bytes", "10"}));
}

TEST_F(ToolSamples, ADiskMayBeFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  const std::string command = std::string("'") + MEGALITH_TOOL + "' generate '" + folder / "run" +
                              "' --bytes 10 > /dev/full 2> '" + folder / "err" + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  expect_start_line(read_file(folder / "err"), "megalith: could not write to standard output\n");
}

TEST_F(ToolSamples, ASampleDependsOnTheSeedAndItsNumber) {
  const std::vector<std::string> how{"--bytes", "80", "--prompt", "line 1", "--seed", "3"};
  const std::vector<std::string> many = samples("many", 18, how);  // more than are generated at once
  const std::vector<std::string> few = samples("few", 3, how);
  std::vector<std::string> on_three_threads = how;
  on_three_threads.insert(on_three_threads.end(), {"--threads", "3"});
  EXPECT_EQ(many, samples("threads", 18, on_three_threads));
  EXPECT_EQ(few, std::vector<std::string>(many.begin(), many.begin() + 3));
  EXPECT_EQ(samples("seventeen", 17, how).back(), many[16]);  // now the last one, alone in its turn
  EXPECT_EQ(many[0], generate(how));
  EXPECT_EQ(std::set<std::string>(many.begin(), many.end()).size(), many.size());
  for (const std::string& sample : many) EXPECT_EQ(sample.size(), 80u);
}

TEST_F(ToolSamples, EachStopsByItself) {
  const std::vector<std::string> all = samples("all", 5, {"--bytes", "150"});
  const std::string stop = all[2].substr(100, 1);
  ASSERT_NE(stop[0], '\\');
  const std::vector<std::string> stopped = samples("stopped", 5, {"--bytes", "150", "--stop", stop});
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(stopped[i], all[i].substr(0, all[i].find(stop))) << i;
}

TEST_F(ToolSamples, NothingIsOverwrittenUnasked) {
  folder.write("s-0002.bin", "precious");
  const std::size_t before = files();
  expect_refusal(run({"--bytes", "5", "--samples", "3", "--out", folder / "s"}), 1, {"s-0002.bin", "--force"});
  EXPECT_EQ(read_file(folder / "s-0002.bin"), "precious");
  EXPECT_EQ(files(), before);
  EXPECT_EQ(samples("s", 3, {"--bytes", "5", "--force"})[1].size(), 5u);
  EXPECT_EQ(files(), before + 2);
}

TEST_F(ToolSamples, BadOptionsAreRefused) {
  expect_refusal(run({"--bytes", "5", "--samples", "3"}), 2, {"--samples", "--out"});
  expect_refusal(run({"--bytes", "5", "--out", folder / "s"}), 2, {"--out", "--samples"});
  expect_refusal(run({"--bytes", "5", "--force"}), 2, {"--force", "--out"});
  expect_refusal(run({"--bytes", "5", "--samples", "0", "--out", folder / "s"}), 2, {"--samples", "from 1 to 9999"});
  expect_refusal(run({"--bytes", "5", "--samples", "2", "--out", folder / "no/s"}), 1, {"no/s-0001.bin"});
}

}  // namespace
}  // namespace megalith::tests

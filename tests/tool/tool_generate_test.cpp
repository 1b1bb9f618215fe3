// SPDX-License-Identifier: Apache-2.0
// The bytes of megalith generate.
#include <regex>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolGenerate : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run").code, 0); }

  std::string generate(std::vector<std::string> options, const std::string& input = "") const {
    options.insert(options.begin(), {"generate", folder / "run"});
    const Outcome outcome = run_tool(options, input);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    expect_start_line(outcome.err);
    return outcome.out;
  }
};

TEST_F(ToolGenerate, WritesThatManyBytesAndNothingElse) {
  for (const std::size_t n : {0u, 1u, 7u, 8u, 47u, 48u, 200u})  // also past the trained length
    EXPECT_EQ(generate({"--bytes", std::to_string(n)}).size(), n);
}

TEST_F(ToolGenerate, ASeedDecidesTheBytes) {
  const std::string first = generate({"--bytes", "100", "--seed", "5"});
  EXPECT_EQ(first, generate({"--bytes", "100", "--seed", "5"}));
  EXPECT_EQ(first, generate({"--bytes", "100", "--seed", "5", "--threads", "3"}));
  EXPECT_EQ(first.substr(0, 30), generate({"--bytes", "30", "--seed", "5"}));
  EXPECT_NE(first, generate({"--bytes", "100", "--seed", "6"}));
}

TEST_F(ToolGenerate, TemperatureZeroNeedsNoSeed) {
  EXPECT_EQ(generate({"--bytes", "60", "--temperature", "0", "--seed", "1"}),
            generate({"--bytes", "60", "--top-k", "1", "--seed", "2"}));
}

TEST_F(ToolGenerate, APromptIsReadWhereverItComesFrom) {
  const std::string prompt = "line 12 says th";  // not a multiple of the patch
  folder.write("prompt", prompt);
  const std::string bytes = generate({"--bytes", "40", "--prompt", prompt});
  EXPECT_EQ(bytes, generate({"--bytes", "40", "--prompt-file", folder / "prompt"}));
  EXPECT_EQ(bytes, generate({"--bytes", "40", "--prompt-file", "-"}, prompt));
  EXPECT_NE(bytes, generate({"--bytes", "40"}));
}

TEST_F(ToolGenerate, AnyBytesMakeAPrompt) {
  std::string binary;
  for (int i = 0; i < 300; ++i) binary += static_cast<char>(i * 31);  // longer than the window, zeros among them
  EXPECT_EQ(generate({"--bytes", "20", "--prompt-file", "-"}, binary).size(), 20u);
  EXPECT_EQ(generate({"--bytes", "20", "--prompt", ""}), generate({"--bytes", "20"}));
  EXPECT_EQ(generate({"--bytes", "20", "--prompt", "--bytes"}).size(), 20u);
}

TEST_F(ToolGenerate, TheBytesAreThoseThatTheModelExpects) {
  // Greedy bytes are likely ones: what eval says of them ties generation to the model that was trained.
  const std::string bytes = generate({"--bytes", "40", "--temperature", "0"});
  folder.write("greedy", bytes);
  ASSERT_EQ(run_tool({"eval", folder / "run", "--data", folder / "greedy", "--per-byte", folder / "bits"}).code, 0);
  const std::string raw = read_file(folder / "bits");
  std::vector<float> surprisals(raw.size() / sizeof(float));
  std::memcpy(surprisals.data(), raw.data(), raw.size());
  ASSERT_EQ(surprisals.size(), 40u);
  for (const float bits : surprisals) EXPECT_LT(bits, 8) << "the likeliest of 256 bytes has at most 8 bits";
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// What megalith completion and megalith man print, given to the programs that read it.
#include <set>
#include <sstream>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct Shell {
  int code = -1;
  std::string out;
};

/// What a command of the shell prints, both outputs.
Shell shell(const std::string& command) {
  std::FILE* const pipe = popen(("( " + command + " ) 2>&1").c_str(), "r");
  if (pipe == nullptr) return {};
  Shell result;
  char piece[4096];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) result.out.append(piece, n);
  result.code = WEXITSTATUS(pclose(pipe));
  return result;
}

bool has(const char* program) { return shell(std::string("command -v ") + program).code == 0; }

struct ToolShell : ToolTest {
  void SetUp() override {
    const Outcome outcome = run_tool({"completion", "bash"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    folder.write("completion", outcome.out);
  }

  /// What bash proposes for the last of these words, in the folder.
  std::set<std::string> proposed(const std::vector<std::string>& words) const {
    std::string list;
    for (const std::string& word : words) list += " '" + word + "'";
    folder.write("ask", ". ./completion\nCOMP_WORDS=(megalith" + list + ")\nCOMP_CWORD=" + std::to_string(words.size()) +
                            "\n_megalith\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const Shell answer = shell("cd '" + folder.path() + "' && bash --norc ask");
    EXPECT_EQ(answer.code, 0) << answer.out;
    std::istringstream lines(answer.out);
    std::set<std::string> all;
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) all.insert(line);
    return all;
  }
};

using Words = std::set<std::string>;

TEST_F(ToolShell, CompletesVerbsAndOptions) {
  if (!has("bash")) GTEST_SKIP() << "no bash here";
  EXPECT_EQ(proposed({"tr"}), Words{"train"});
  EXPECT_TRUE(proposed({""}).contains("completion"));
  EXPECT_TRUE(proposed({"--"}).contains("--version"));
  EXPECT_EQ(proposed({"train", "--thr"}), Words{"--threads"});
  EXPECT_EQ(proposed({"generate", "--thr"}), Words{"--threads"});
  EXPECT_EQ(proposed({"models", "--thr"}), Words{});
  EXPECT_TRUE(proposed({"flops", "-"}).contains("--json"));
  EXPECT_EQ(proposed({"models", ""}), Words{"--help"});  // where nothing else may stand
}

TEST_F(ToolShell, CompletesValues) {
  if (!has("bash")) GTEST_SKIP() << "no bash here";
  EXPECT_EQ(proposed({"train", "--schedule", ""}), (Words{"linear", "cosine", "cooldown"}));
  EXPECT_EQ(proposed({"train", "--precision", "b"}), Words{"bf16"});
  EXPECT_EQ(proposed({"train", "--model", "megabyte-t"}), (Words{"megabyte-tiny", "megabyte-three-scale"}));
  EXPECT_EQ(proposed({"train", "--model", "mod"}), Words{"model.json"});
  EXPECT_EQ(proposed({"info", "mod"}), Words{"model.json"});
  EXPECT_EQ(proposed({"train", "--steps", ""}), Words{});
  EXPECT_EQ(proposed({"completion", ""}), Words{"bash"});
}

TEST_F(ToolShell, CompletesPaths) {
  if (!has("bash")) GTEST_SKIP() << "no bash here";
  folder.write("a file with spaces", "");
  EXPECT_EQ(proposed({"eval", "a"}), (Words{"a file with spaces", "ask"}));
  EXPECT_EQ(proposed({"train", "--data", "val"}), Words{"valid.txt"});
  EXPECT_EQ(proposed({"train", "--data", "data", "val"}), Words{"valid.txt"});  // one more of several
}

TEST_F(ToolShell, OtherShellsAreRefused) {
  expect_refusal(run_tool({"completion", "fish"}), 2, {"'fish'", "bash"});
  expect_refusal(run_tool({"completion"}), 2, {"the shell is missing; give bash"});
}

TEST_F(ToolShell, TheManualHasEveryVerbAndOption) {
  const Outcome manual = run_tool({"man"});
  ASSERT_EQ(manual.code, 0);
  EXPECT_TRUE(manual.out.starts_with(".TH MEGALITH 1 "));
  for (const unsigned char c : manual.out)
    EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 127)) << "a sign that roff may not know";
  // In --help, options stand at the start of a line.
  for (const char* verb : {"train", "eval", "generate", "classify", "embed", "models", "info", "flops"}) {
    EXPECT_NE(manual.out.find("\n.SS \\fBmegalith " + std::string(verb) + "\\fR"), std::string::npos) << verb;
    std::istringstream help(run_tool({verb, "--help"}).out);
    for (std::string line; std::getline(help, line);) {
      const std::size_t at = line.find("--");
      if (!line.starts_with("  ") || at == line.npos || line.find_first_not_of(' ') != at) continue;
      std::string option = line.substr(at, line.find_first_of(" ,", at) - at);
      for (std::size_t i = 0; (i = option.find('-', i)) != option.npos; i += 2) option.insert(i, "\\");
      EXPECT_NE(manual.out.find("\\fB" + option + "\\fR"), std::string::npos) << verb << ' ' << option;
    }
  }
}

TEST_F(ToolShell, TheManualIsRendered) {
  if (!has("groff")) GTEST_SKIP() << "no groff here";
  folder.write("megalith.1", run_tool({"man"}).out);
  const Shell warnings = shell("groff -man -Tutf8 -ww '" + folder / "megalith.1" + "' > /dev/null");
  EXPECT_EQ(warnings.code, 0);
  EXPECT_EQ(warnings.out, "");
  const Shell text = shell("groff -man -Tascii -P-cbu '" + folder / "megalith.1" + "'");
  for (const char* part :
       {"--data PATH", "--schedule linear|cosine|cooldown", "`megalith models`", "EXIT STATUS", "NO_COLOR"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << "\n" << text.out;
}

// A page made on one machine is read on others.
TEST_F(ToolShell, TheManualDoesNotTellOfThisMachine) {
  const std::string manual = run_tool({"man"}).out;
  EXPECT_NE(manual.find("[OMP_NUM_THREADS, else one for each physical core]"), std::string::npos);
}

}  // namespace
}  // namespace megalith::tests

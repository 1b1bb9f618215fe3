// SPDX-License-Identifier: Apache-2.0
// Bits of bytes, as megalith eval writes them.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolEval : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run").code, 0); }

  /// The surprisal of each byte of some files, in bits, and what was printed.
  std::vector<float> surprisals(std::vector<std::string> data, std::vector<std::string> more = {}) {
    std::vector<std::string> all{"eval", folder / "run", "--data"};
    all.insert(all.end(), data.begin(), data.end());
    all.insert(all.end(), {"--per-byte", folder / "bits"});
    all.insert(all.end(), more.begin(), more.end());
    last = run_tool(all);
    EXPECT_EQ(last.code, 0) << last.err;
    const std::string raw = read_file(folder / "bits");
    EXPECT_EQ(raw.size() % sizeof(float), 0u);
    std::vector<float> bits(raw.size() / sizeof(float));
    std::memcpy(bits.data(), raw.data(), raw.size());
    return bits;
  }
  double printed() const { return std::stod(last.out.substr(last.out.rfind("bits_per_byte: ") + 15)); }

  Outcome last;
};

TEST_F(ToolEval, TheLastLineIsTheMean) {
  for (const std::size_t size :
       {1000u, 1u, 7u, 8u, 47u, 48u, 49u, 100u}) {  // also sizes that the patch or the window does not divide
    const std::vector<float> bits = surprisals({folder.write("x", some_text(size))});
    ASSERT_EQ(bits.size(), size);
    for (const float b : bits) ASSERT_TRUE(std::isfinite(b) && b > 0) << b;
    EXPECT_NEAR(printed(), std::accumulate(bits.begin(), bits.end(), 0.0) / static_cast<double>(size), 1e-6);
    EXPECT_EQ(last.out.find('\n', last.out.rfind("bits_per_byte: ")), last.out.size() - 1) << last.out;
  }
}

TEST_F(ToolEval, AByteChangesNoEarlierCostAndManyLaterOnes) {
  const std::string text = some_text(160);
  const std::vector<float> before = surprisals({folder.write("x", text)});
  for (const std::size_t at : {0u, 1u, 6u, 7u, 8u, 9u, 23u, 40u, 47u, 48u, 95u, 100u, 159u}) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const std::vector<float> after = surprisals({folder.write("y", changed)});
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(std::memcmp(before.data(), after.data(), at * sizeof(float)), 0)
        << "the bits of a byte before byte " << at << " changed";
    EXPECT_NE(before[at], after[at]) << at;
    // Of its window, every later byte is read with the changed one in view. The patch's own bytes see it directly, except
    // that a patch's last byte is seen through the outer scale alone.
    const std::size_t end = std::min(text.size(), (at / kLength + 1) * kLength);
    for (std::size_t t = at + 1; t < end; ++t) EXPECT_NE(before[t], after[t]) << "byte " << t << " after a change at " << at;
    for (std::size_t t = end; t < text.size(); ++t) EXPECT_EQ(before[t], after[t]) << "another window, byte " << t;
  }
}

TEST_F(ToolEval, EveryFileStartsAfresh) {
  const std::string a = some_text(77), b = some_text(55, 300);
  const std::vector<float> alone_a = surprisals({folder.write("f/a", a)}), alone_b = surprisals({folder.write("f/b", b)});
  std::vector<float> expected = alone_a;
  expected.insert(expected.end(), alone_b.begin(), alone_b.end());
  EXPECT_EQ(surprisals({folder / "f"}), expected);
  EXPECT_NEAR(printed(), std::accumulate(expected.begin(), expected.end(), 0.0) / 132, 1e-6);
}

TEST_F(ToolEval, PaddingIsFreeAndUnseen) {
  // The bits of a beginning do not depend on what stood behind it, padding or bytes.
  const std::string text = some_text(48);
  const std::vector<float> whole = surprisals({folder.write("x", text)});
  for (const std::size_t size : {1u, 3u, 8u, 13u, 47u}) {
    const std::vector<float> part = surprisals({folder.write("y", text.substr(0, size))});
    ASSERT_EQ(part.size(), size);
    for (std::size_t t = 0; t < size; ++t) EXPECT_NEAR(part[t], whole[t], 1e-4f) << "byte " << t << " of " << size;
  }
}

TEST_F(ToolEval, TheNumberOfThreadsChangesNoBit) {
  const std::string path = folder.write("x", some_text(3000));
  EXPECT_EQ(surprisals({path}, {"--threads", "1"}), surprisals({path}, {"--threads", "3"}));
}

TEST_F(ToolEval, ReadsACheckpointFileAsItReadsTheRun) {
  EXPECT_EQ(run_tool({"eval", folder / "run", "--data", folder / "data"}).out,
            run_tool({"eval", folder / "run/model.safetensors", "--data", folder / "data"}).out);
}

TEST_F(ToolEval, AgreesWithTheValidationOfTraining) {
  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  const std::size_t at = metrics.rfind("\"valid_bpb\":");
  ASSERT_NE(at, std::string::npos);
  surprisals({folder / "valid.txt"});
  EXPECT_NEAR(printed(), std::stod(metrics.substr(at + 12)), 1e-6);
}

/// The line about a file: its bits per byte, bytes, and what else stands there.
struct FileLine {
  double bits_per_byte = 0;
  std::string bytes;
  std::vector<std::string> rest;
};

FileLine line_of(const std::string& out, const std::string& path) {
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < path.size() || line.substr(line.size() - path.size()) != path) continue;
    std::istringstream words(line);
    FileLine found;
    words >> found.bits_per_byte >> found.bytes;
    for (std::string word; words >> word;) found.rest.push_back(word);
    return found;
  }
  ADD_FAILURE() << path << " has no line in " << out;
  return {};
}

TEST_F(ToolEval, ALineForEachFile) {
  const std::string a = folder.write("f/a", some_text(1077)), b = folder.write("f/b", some_text(55, 300));
  const std::vector<float> bits = surprisals({folder / "f"});
  const double sum_of_a = std::accumulate(bits.begin(), bits.begin() + 1077, 0.0);
  EXPECT_NEAR(line_of(last.out, a).bits_per_byte, sum_of_a / 1077, 1e-4);
  EXPECT_EQ(line_of(last.out, a).bytes, "1,077");
  EXPECT_NEAR(line_of(last.out, b).bits_per_byte, std::accumulate(bits.begin() + 1077, bits.end(), 0.0) / 55, 1e-4);
}

TEST_F(ToolEval, ComparesWithCompressors) {
  const std::string a = folder.write("f/a", some_text(5000));
  folder.write("f/b", std::string(3000, 'x'));
  const Outcome outcome = run_tool({"eval", folder / "run", "--data", folder / "f", "--compare"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const FileLine line = line_of(outcome.out, a);
  ASSERT_EQ(line.rest.size(), 3u) << outcome.out;  // gzip, xz, the path
  for (const std::size_t i : {0u, 1u}) {
    EXPECT_GT(std::stod(line.rest[i]), 0.5);
    EXPECT_LT(std::stod(line.rest[i]), 4);
  }
  EXPECT_NE(outcome.out.find("\ngzip -9: "), std::string::npos);
  EXPECT_NE(outcome.out.find("\nxz -9e: "), std::string::npos);
}

TEST_F(ToolEval, SaysWhichCompressorIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  const Outcome outcome = run_tool({"eval", folder / "run", "--data", folder / "data", "--compare"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("gzip -9: gzip is not installed\n"), std::string::npos) << outcome.out;
  EXPECT_EQ(line_of(outcome.out, folder / "data/a.txt").rest[0], "-");
}

TEST_F(ToolEval, PaintsTheText) {
  const std::string text = folder.write("x", "line 1 says <that>\n" + some_text(400) + "\xFF\xC3\xA9");
  const Outcome outcome = run_tool({"eval", folder / "run", "--data", text, "--html", folder / "map.html"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string page = read_file(folder / "map.html");
  for (const char* part : {"&lt;</i>", "<b class=hex>ff</b>", "\xC3\xA9</i>", "<i class=h", "prefers-color-scheme"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("<that>"), std::string::npos);
  // Each character once: 19 and 400 bytes, one that is not text, and one of two bytes; and the list of the most surprising.
  std::size_t signs = 0;
  for (std::size_t at = 0; (at = page.find(" title=", at)) != page.npos; ++at) ++signs;
  EXPECT_EQ(signs, 421u + 6);
  EXPECT_NE(page.find("<th>2<td><i"), std::string::npos) << "lines have numbers";
  const std::string binary = folder.write("binary", std::string("\0\x7F<", 3) + some_text(400));
  ASSERT_EQ(run_tool({"eval", folder / "run", "--data", binary, "--html", folder / "hex.html"}).code, 0);
  EXPECT_NE(read_file(folder / "hex.html").find("<th>000190<td><span><i"), std::string::npos);
  ASSERT_EQ(run_tool({"eval", folder / "run", "--data", text, "--html", folder / "map.html", "--html-bytes", "20"}).code, 0);
  EXPECT_NE(read_file(folder / "map.html").find("the first 20 are shown"), std::string::npos);
  expect_refusal(run_tool({"eval", folder / "run", "--data", text, "--html", text}), 1, {"--html", "overwrite"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", text, "--html", folder / "no/where"}), 1, {"no/where"});
}

/// Lines of fields with tabs between.
std::vector<std::vector<std::string>> fields(const std::string& out) {
  std::vector<std::vector<std::string>> all;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    all.emplace_back();
    std::istringstream words(line);
    for (std::string word; std::getline(words, word, '\t');) all.back().push_back(word);
  }
  return all;
}

TEST_F(ToolEval, StandardInputIsAFile) {
  const std::string text = some_text(2000), path = folder.write("x", text);
  const std::vector<float> bits = surprisals({path});
  const double expected = printed();
  for (const std::vector<std::string>& data : {std::vector<std::string>{"--data", "-"}, {}}) {
    std::vector<std::string> all{"eval", folder / "run", "--per-byte", folder / "piped"};
    all.insert(all.end(), data.begin(), data.end());
    last = run_tool(all, text);
    ASSERT_EQ(last.code, 0) << last.err;
    EXPECT_NEAR(printed(), expected, 1e-4);
    EXPECT_EQ(line_of(last.out, "-").bytes, "2,000");
    EXPECT_EQ(read_file(folder / "piped").size(), 8000u);
  }
  expect_refusal(run_tool({"eval", folder / "run", "--data", "-"}), 1, {"standard input is empty"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", "-", path}, text), 1, {"stands alone"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", "-", "--compare"}, text), 1, {"--compare"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", "-"}, "", {"sh", "-c", "exec \"$0\" \"$@\" < ."}), 1,
                 {"cannot read standard input", "directory"});
}

TEST_F(ToolEval, LinesInContextAndAlone) {
  const std::string first = "a line\n\nanother\twith a tab\n", second = "and no end";
  folder.write("f/a", first), folder.write("f/b", second);
  const std::vector<float> bits = surprisals({folder / "f"}, {"--stride", "24"});
  const Outcome context = run_tool({"eval", "--lines", folder / "run", "--data", folder / "f"});
  ASSERT_EQ(context.code, 0) << context.err;
  EXPECT_NE(context.err.find("\nbits_per_byte: "), std::string::npos) << context.err;
  auto lines = fields(context.out);
  ASSERT_EQ(lines.size(), 4u) << context.out;
  EXPECT_NEAR(std::stod(lines[0][0]), std::accumulate(bits.begin(), bits.begin() + 7, 0.0), 0.01);
  EXPECT_NEAR(std::stod(lines[1][1]), bits[7], 1e-4);
  EXPECT_NEAR(std::stod(lines[2][0]), std::accumulate(bits.begin() + 8, bits.begin() + 27, 0.0), 0.01);
  EXPECT_NEAR(std::stod(lines[3][0]), std::accumulate(bits.begin() + 27, bits.end(), 0.0), 0.01);
  EXPECT_EQ(lines[0][2], folder / "f/a:1");
  EXPECT_EQ(lines[0][3], "a line");
  EXPECT_EQ(lines[2][3], "another\\twith a tab");
  EXPECT_EQ(lines[3][2], folder / "f/b:1");

  // Alone, each line costs what it would as a file, from files and from a pipe alike.
  lines = fields(run_tool({"eval", folder / "run", "--data", folder / "f", "--lines=alone"}).out);
  ASSERT_EQ(lines.size(), 4u);
  const std::vector<float> third = surprisals({folder.write("third", first.substr(8))});
  EXPECT_NEAR(std::stod(lines[2][0]), std::accumulate(third.begin(), third.end(), 0.0), 0.01);
  const auto piped = fields(run_tool({"eval", folder / "run", "--lines", "alone"}, first + second).out);
  ASSERT_EQ(piped.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(std::stod(piped[i][0]), std::stod(lines[i][0]), 0.02) << i;
  EXPECT_EQ(piped[3][2], "-:4");
  expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "f", "--lines=both"}), 2,
                 {"'both'", "context", "alone"});
}

TEST_F(ToolEval, AReaderOfLinesMayLeave) {
  const std::string tool = std::string("'") + MEGALITH_TOOL + "' ";
  for (const std::string& verb : {"eval '" + folder / "run' --lines", "eval '" + folder / "run' --lines=alone",
                                  "classify '" + folder / "run' '" + folder / "run/model.safetensors' --lines"}) {
    const std::string command = "yes hello | { " + tool + verb + " 2> '" + folder / "err'; echo $? > '" +
                                folder / "code'; } | head -2 > '" + folder / "out'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(read_file(folder / "code"), "0\n") << verb << ": " << read_file(folder / "err");
  }
}

TEST_F(ToolEval, Json) {
  const std::string path = folder.write("f/a", some_text(300)), odd = folder.write("f/b", "\xFF line\n");
  const Outcome table = run_tool({"eval", folder / "run", "--data", folder / "f"});
  const Outcome json = run_tool({"eval", folder / "run", "--data", folder / "f", "--json"});
  ASSERT_EQ(json.code, 0) << json.err;
  const nlohmann::json all = nlohmann::json::parse(json.out);
  ASSERT_EQ(all["files"].size(), 2u);
  EXPECT_EQ(all["files"][0]["file"], path);
  EXPECT_EQ(all["files"][1]["bytes"], 7);
  EXPECT_NEAR(all["bits_per_byte"].get<double>(), std::stod(table.out.substr(table.out.rfind(' '))), 1e-6);
  const Outcome lines = run_tool({"eval", folder / "run", "--lines", "--json", "--data", odd});
  ASSERT_EQ(lines.code, 0) << lines.err;
  const nlohmann::json line = nlohmann::json::parse(lines.out);
  EXPECT_EQ(line["text"], "\uFFFD line");
  EXPECT_EQ(line["line"], 1);
  EXPECT_EQ(line["bytes"], 7);
}

TEST_F(ToolEval, AStrideGivesEachByteMoreContext) {
  const std::string path = folder.write("x", some_text(3000));
  const std::vector<float> apart = surprisals({path}), same = surprisals({path}, {"--stride", "48"}),
                           close = surprisals({path}, {"--stride", "8"});
  EXPECT_EQ(apart, same);
  ASSERT_EQ(close.size(), apart.size());
  for (std::size_t i = 0; i < 48; ++i) EXPECT_NEAR(close[i], apart[i], 1e-3f);
  EXPECT_NE(close[48], apart[48]);
  for (const char* wrong : {"7", "56"})
    expect_refusal(run_tool({"eval", folder / "run", "--data", path, "--stride", wrong}), 1,
                   {wrong, "multiple of 8 up to 48"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", path, "--stride", "0"}), 2, {"--stride"});
}

}  // namespace
}  // namespace megalith::tests

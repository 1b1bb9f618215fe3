// SPDX-License-Identifier: Apache-2.0
// megalith eval without windows, and its bits by position in the file.
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "megalith/nn/megalodon_config.h"
#include "support/count.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

/// A run of a model with MEGALODON's blocks, of windows of 48 bytes, and one of MEGABYTE.
struct ToolEvalStream : ToolTest {
  void SetUp() override {
    StackConfig stack{.width = 16, .layers = 1, .positions = PositionKind::rotary};
    stack.block = MegalodonConfig{.heads = 1, .chunk = 8, .states = 2};
    folder.write("megalodon.json",
                 to_json(ModelConfig{
                     .length = kLength, .scales = {{.patch = 1, .stack = stack}}, .init_std = 0.3, .residual_init = 1}));
    ASSERT_EQ(train("run").code, 0);
    const Outcome made = run_tool({"train", "--data", folder / "data", "--model", folder / "megalodon.json", "--out",
                                   folder / "stream", "--batch", "2", "--threads", "2", "--steps", "12"});
    ASSERT_EQ(made.code, 0) << made.err;
  }

  Outcome eval(const std::string& run, std::vector<std::string> more, const std::string& input = "") const {
    std::vector<std::string> all{"eval", folder / run};
    all.insert(all.end(), more.begin(), more.end());
    return run_tool(all, input);
  }
  /// The surprisal of each byte of what is read, in bits.
  std::vector<float> surprisals(std::vector<std::string> more, const std::string& input = "") {
    more.insert(more.end(), {"--per-byte", folder / "bits"});
    last = eval("stream", more, input);
    EXPECT_EQ(last.code, 0) << last.err;
    const std::string raw = read_file(folder / "bits");
    std::vector<float> bits(raw.size() / sizeof(float));
    std::memcpy(bits.data(), raw.data(), raw.size());
    return bits;
  }

  Outcome last;
};

TEST_F(ToolEvalStream, EachFileIsOneSequence) {
  const std::string text = some_text(10000), path = folder.write("f/a", text);
  folder.write("f/b", text.substr(0, 500));
  const std::vector<float> windows = surprisals({"--data", path}), stream = surprisals({"--data", path, "--stream"});
  ASSERT_EQ(stream.size(), text.size());
  for (std::size_t i = 0; i < 48; ++i) EXPECT_NEAR(stream[i], windows[i], 1e-4f) << i;
  EXPECT_GT(std::abs(stream[48] - windows[48]), 1e-4f) << "the first window goes on";
  EXPECT_NEAR(std::stod(last.out.substr(last.out.rfind("bits_per_byte: ") + 15)),
              std::accumulate(stream.begin(), stream.end(), 0.0) / 10000, 1e-6);
  // Another file begins anew, and a pipe is read like a file.
  const std::vector<float> both = surprisals({"--data", folder / "f", "--stream"});
  ASSERT_EQ(both.size(), text.size() + 500);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_NEAR(both[text.size() + i], stream[i], 1e-4f) << i;
  const std::vector<float> piped = surprisals({"--stream"}, text);
  ASSERT_EQ(piped.size(), text.size());
  for (std::size_t i = 0; i < text.size(); ++i) ASSERT_NEAR(piped[i], stream[i], 1e-3f) << i;
  // Lines in the context of all of the file before them.
  const Outcome lines = eval("stream", {"--data", path, "--stream", "--lines"});
  ASSERT_EQ(lines.code, 0) << lines.err;
  EXPECT_NEAR(std::stod(lines.err.substr(lines.err.rfind("bits_per_byte: ") + 15)),
              std::accumulate(stream.begin(), stream.end(), 0.0) / 10000, 1e-5);
}

TEST_F(ToolEvalStream, SaysWhatElseThereIs) {
  const std::string path = folder.write("x", some_text(100));
  expect_refusal(eval("run", {"--data", path, "--stream"}), 1,
                 {"--stream", folder / "run", "at most 48 bytes", "--stride 24"});
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--stride", "8"}, {"--strided"}, {"--lines=alone"}}) {
    std::vector<std::string> all{"--data", path, "--stream"};
    all.insert(all.end(), wrong.begin(), wrong.end());
    expect_refusal(eval("stream", all), 1, {"--stream", wrong[0].substr(0, 7), "leave out"});
  }
  expect_refusal(eval("stream", {"--data", path, "--by-position", "--lines"}), 1, {"--by-position", "--lines"});
}

TEST_F(ToolEvalStream, BitsByPositionAddUp) {
  folder.write("f/a", some_text(5000));
  folder.write("f/b", some_text(1500, 300));
  const std::vector<std::pair<std::string, std::vector<std::string>>> ways{
      {"stream", {"--stream"}}, {"stream", {}}, {"run", {"--stride", "24"}}};
  for (auto [run, options] : ways) {
    options.insert(options.end(), {"--data", folder / "f", "--by-position", "--json", "--html", folder / "page.html",
                                   "--per-byte", folder / "bits"});
    const Outcome outcome = eval(run, options);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const nlohmann::json all = nlohmann::json::parse(outcome.out), &bins = all["positions"];
    ASSERT_EQ(bins.size(), 4u);
    const std::string raw = read_file(folder / "bits");
    std::vector<float> bits(raw.size() / sizeof(float));
    std::memcpy(bits.data(), raw.data(), raw.size());
    ASSERT_EQ(bits.size(), 6500u);
    const std::vector<std::size_t> ends{1024, 2048, 4096, 5000};
    std::int64_t bytes = 0;
    double sum = 0;
    for (std::size_t i = 0, from = 0; i < 4; from = ends[i++]) {
      EXPECT_EQ(bins[i]["from"], from);
      EXPECT_EQ(bins[i]["to"], ends[i]);
      double expected = 0;
      for (std::size_t at = from; at < ends[i]; ++at)
        expected += static_cast<double>(bits[at]) + (at < 1500 ? static_cast<double>(bits[5000 + at]) : 0);
      EXPECT_NEAR(bins[i]["bits"].get<double>(), expected, 1e-6 * expected);
      EXPECT_NEAR(bins[i]["bits_per_byte"].get<double>() * bins[i]["bytes"].get<double>(), expected, 1e-6 * expected);
      bytes += bins[i]["bytes"].get<std::int64_t>();
      sum += bins[i]["bits"].get<double>();
    }
    EXPECT_EQ(bytes, all["bytes"]);
    EXPECT_NEAR(sum, all["bits"].get<double>(), 1e-6 * sum);
    EXPECT_EQ(count(read_file(folder / "page.html"), "<svg"), 2u) << "for wide screens and narrow ones";
  }
  const Outcome table = eval("stream", {"--data", folder / "f", "--stream", "--by-position"});
  ASSERT_EQ(table.code, 0) << table.err;
  for (const char* words : {"position in file  bits/byte  bytes\n", "\n0 to 1 Ki ", "\n1 Ki to 2 Ki ", "\n4 Ki to the end "})
    EXPECT_NE(table.out.find(words), std::string::npos) << words << " is missing in\n" << table.out;
  EXPECT_EQ(table.out.find('\n', table.out.rfind("bits_per_byte: ")), table.out.size() - 1) << "the last line";
  const Outcome plain = eval("stream", {"--data", folder / "f", "--json", "--html", folder / "page.html"});
  EXPECT_FALSE(nlohmann::json::parse(plain.out).contains("positions"));
  EXPECT_EQ(count(read_file(folder / "page.html"), "<svg"), 0u);
}

}  // namespace
}  // namespace megalith::tests

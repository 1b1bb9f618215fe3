// SPDX-License-Identifier: Apache-2.0
// Costs of bytes, as megalith eval writes them.
#include <cmath>
#include <numeric>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolEval : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run").code, 0); }

  /// The cost of each byte of some files, and what was printed.
  std::vector<float> costs(std::vector<std::string> data, std::vector<std::string> more = {}) {
    std::vector<std::string> all{"eval", folder / "run", "--data"};
    all.insert(all.end(), data.begin(), data.end());
    all.insert(all.end(), {"--per-byte", folder / "costs"});
    all.insert(all.end(), more.begin(), more.end());
    last = run_tool(all);
    EXPECT_EQ(last.code, 0) << last.err;
    const std::string raw = read_file(folder / "costs");
    EXPECT_EQ(raw.size() % sizeof(float), 0u);
    std::vector<float> bits(raw.size() / sizeof(float));
    std::memcpy(bits.data(), raw.data(), raw.size());
    return bits;
  }
  double printed() const { return std::stod(last.out.substr(last.out.rfind("bits_per_byte: ") + 15)); }

  Outcome last;
};

TEST_F(ToolEval, TheLastLineIsTheMean) {
  for (const std::size_t size : {1000u, 1u, 7u, 8u, 47u, 48u, 49u, 100u}) {  // also no multiple of the patch or the window
    const std::vector<float> bits = costs({folder.write("x", some_text(size))});
    ASSERT_EQ(bits.size(), size);
    for (const float b : bits) ASSERT_TRUE(std::isfinite(b) && b > 0) << b;
    EXPECT_NEAR(printed(), std::accumulate(bits.begin(), bits.end(), 0.0) / static_cast<double>(size), 1e-6);
    EXPECT_EQ(last.out.find('\n', last.out.rfind("bits_per_byte: ")), last.out.size() - 1) << last.out;
  }
}

TEST_F(ToolEval, AByteChangesNoEarlierCostAndManyLaterOnes) {
  const std::string text = some_text(160);
  const std::vector<float> before = costs({folder.write("x", text)});
  for (const std::size_t at : {0u, 1u, 6u, 7u, 8u, 9u, 23u, 40u, 47u, 48u, 95u, 100u, 159u}) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const std::vector<float> after = costs({folder.write("y", changed)});
    ASSERT_EQ(after.size(), before.size());
    EXPECT_EQ(std::memcmp(before.data(), after.data(), at * sizeof(float)), 0) << "a cost before byte " << at << " changed";
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
  const std::vector<float> alone_a = costs({folder.write("f/a", a)}), alone_b = costs({folder.write("f/b", b)});
  std::vector<float> expected = alone_a;
  expected.insert(expected.end(), alone_b.begin(), alone_b.end());
  EXPECT_EQ(costs({folder / "f"}), expected);
  EXPECT_NEAR(printed(), std::accumulate(expected.begin(), expected.end(), 0.0) / 132, 1e-6);
}

TEST_F(ToolEval, PaddingIsFreeAndUnseen) {
  // The costs of a beginning do not depend on what stood behind it, padding or bytes.
  const std::string text = some_text(48);
  const std::vector<float> whole = costs({folder.write("x", text)});
  for (const std::size_t size : {1u, 3u, 8u, 13u, 47u}) {
    const std::vector<float> part = costs({folder.write("y", text.substr(0, size))});
    ASSERT_EQ(part.size(), size);
    for (std::size_t t = 0; t < size; ++t) EXPECT_NEAR(part[t], whole[t], 1e-4f) << "byte " << t << " of " << size;
  }
}

TEST_F(ToolEval, TheNumberOfThreadsChangesNoBit) {
  const std::string path = folder.write("x", some_text(3000));
  EXPECT_EQ(costs({path}, {"--threads", "1"}), costs({path}, {"--threads", "3"}));
}

TEST_F(ToolEval, ReadsACheckpointFileAsItReadsTheRun) {
  EXPECT_EQ(run_tool({"eval", folder / "run", "--data", folder / "data"}).out,
            run_tool({"eval", folder / "run/model.safetensors", "--data", folder / "data"}).out);
}

TEST_F(ToolEval, AgreesWithTheValidationOfTraining) {
  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  const std::size_t at = metrics.rfind("\"valid_bpb\":");
  ASSERT_NE(at, std::string::npos);
  costs({folder / "valid.txt"});
  EXPECT_NEAR(printed(), std::stod(metrics.substr(at + 12)), 1e-6);
}

}  // namespace
}  // namespace megalith::tests

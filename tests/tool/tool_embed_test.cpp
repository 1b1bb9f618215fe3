// SPDX-License-Identifier: Apache-2.0
// Vectors, as megalith embed writes them.
#include <cmath>
#include <cstring>

#include "tool_fixture.h"

namespace megalith::tests {
namespace {

constexpr std::size_t kWidth = 32;  // of the miniature's outer scale

struct ToolEmbed : ToolTest {
  void SetUp() override { ASSERT_EQ(train("run", {"--steps", "1"}).code, 0); }

  std::vector<float> embedded(std::vector<std::string> more, const std::string& input = "") {
    std::vector<std::string> all{"embed", folder / "run", "--out", folder / "vectors", "--format", "raw"};
    all.insert(all.end(), more.begin(), more.end());
    last = run_tool(all, input);
    EXPECT_EQ(last.code, 0) << last.err;
    const std::string raw = read_file(folder / "vectors");
    std::vector<float> numbers(raw.size() / sizeof(float));
    std::memcpy(numbers.data(), raw.data(), raw.size());
    return numbers;
  }
  Outcome last;
};

TEST_F(ToolEmbed, OneVectorAFileOrAPatch) {
  const std::string a = folder.write("f/a", some_text(203));  // 26 patches of 8
  folder.write("f/b", some_text(8, 300));
  const std::vector<float> files = embedded({"--data", folder / "f"}),
                           patches = embedded({"--data", folder / "f", "--per", "patch"});
  ASSERT_EQ(files.size(), 2 * kWidth);
  ASSERT_EQ(patches.size(), 27 * kWidth);
  EXPECT_NE(last.out.find("vectors: 27\nwidth: 32\n"), std::string::npos) << last.out;
  for (std::size_t c = 0; c < kWidth; ++c) {
    double sum = 0;
    for (std::size_t k = 0; k < 26; ++k) sum += static_cast<double>(patches[k * kWidth + c]);
    EXPECT_NEAR(files[c], sum / 26, 1e-4);
    EXPECT_EQ(files[kWidth + c], patches[26 * kWidth + c]);
    EXPECT_TRUE(std::isfinite(files[c]));
  }
  EXPECT_EQ(embedded({"--data", a, "--threads", "3"}), std::vector<float>(files.begin(), files.begin() + kWidth));
  EXPECT_EQ(embedded({"--data", "-"}, read_file(a)), std::vector<float>(files.begin(), files.begin() + kWidth));
  EXPECT_EQ(embedded({}, read_file(a)), std::vector<float>(files.begin(), files.begin() + kWidth));
}

TEST_F(ToolEmbed, AnArrayOfNumPy) {
  const std::string data = folder.write("a", some_text(100));
  const std::vector<float> raw = embedded({"--data", data, "--per", "patch"});
  ASSERT_EQ(run_tool({"embed", folder / "run", "--data", data, "--per", "patch", "--out", folder / "v.npy"}).code, 0);
  const std::string npy = read_file(folder / "v.npy");
  EXPECT_TRUE(npy.starts_with(std::string("\x93NUMPY\x01\x00", 8)));
  const std::size_t head = 10 + static_cast<unsigned char>(npy[8]) + 256 * static_cast<std::size_t>(npy[9]);
  EXPECT_EQ(head % 64, 0u);
  EXPECT_EQ(npy[head - 1], '\n');
  EXPECT_NE(npy.find("{'descr': '<f4', 'fortran_order': False, 'shape': (13, 32), }"), std::string::npos);
  ASSERT_EQ(npy.size() - head, raw.size() * sizeof(float));
  EXPECT_EQ(std::memcmp(npy.data() + head, raw.data(), raw.size() * sizeof(float)), 0);
}

TEST_F(ToolEmbed, Refusals) {
  const std::string data = folder.write("a", some_text(100)), run = folder / "run", out = folder / "v";
  expect_refusal(run_tool({"embed", run, "--data", data}), 2, {"--out"});
  expect_refusal(run_tool({"embed", run, "--out", out}), 2, {"--data"});
  expect_refusal(run_tool({"embed", run, "--data", data, "--out", out, "--per", "line"}), 2, {"--per", "line"});
  expect_refusal(run_tool({"embed", run, "--data", data, "--out", out, "--format", "csv"}), 2, {"--format", "csv"});
  expect_refusal(run_tool({"embed", folder / "nothing", "--data", data, "--out", out}), 1, {"nothing"});
  expect_refusal(run_tool({"embed", run, "--data", folder / "nothing", "--out", out}), 1, {"nothing"});
  expect_refusal(run_tool({"embed", run, "--data", data, "--out", folder / "no/where"}), 1, {"no/where"});
  expect_refusal(run_tool({"embed", run, "--data", data, "--out", data}), 1, {"--out", "overwrite"});
  expect_refusal(run_tool({"embed", run, "--data", data, "--out", run + "/model.safetensors"}), 1, {"--out", "overwrite"});
  expect_refusal(run_tool({"embed", run, "--data", "-", "--out", out}), 1, {"standard input is empty"});
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace megalith::tests

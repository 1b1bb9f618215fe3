// SPDX-License-Identifier: Apache-2.0
// Runs of models that read records in an order of their own: what goes in and what comes out stands as in the file.
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "megalith/generate/generator.h"
#include "megalith/io/checkpoint.h"
#include "megalith/models/scan.h"
#include "megalith/train/evaluate.h"
#include "megalith/train/run_config.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

/// Pictures of 4 x 4 pixels of three bytes, 48 in all, read in tiles of 2 x 2: pieces are rows of tiles, 24 bytes.
const RecordConfig kPicture{48, {.kind = ScanKind::patch, .width = 4, .height = 4, .channels = 3, .tile = 2}};

struct ToolRecords : ToolTest {
  Outcome train_pictures(const std::string& run, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--steps", "12", "--scan", "patch:4x4x3:2"});
    return train(run, more);
  }
};

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What evaluate() gives, in the order of the file.
std::vector<float> evaluated(const std::string& run, const std::string& bytes, EvaluateConfig config = {}) {
  const auto model = load_model(run);
  Workspace workspace(1);
  std::vector<float> all;
  config.losses = [&](const CorpusFile&, std::int64_t, std::span<const float> bits) {
    all.insert(all.end(), bits.begin(), bits.end());
  };
  evaluate(*model, workspace, bytes_of(bytes), config);
  return all;
}

std::vector<float> per_byte(const std::string& path) {
  const std::string raw = read_file(path);
  std::vector<float> bits(raw.size() / sizeof(float));
  std::memcpy(bits.data(), raw.data(), raw.size());
  return bits;
}

TEST_F(ToolRecords, TheRunKeepsThem) {
  const Outcome begun = train_pictures("run", {"--sample-every", "12", "--sample-bytes", "50"});
  ASSERT_EQ(begun.code, 0) << begun.err;
  EXPECT_EQ(load_run_config(folder / "run").model.record, kPicture);
  EXPECT_EQ(load_model(folder / "run")->record(), kPicture);
  EXPECT_NE(begun.out.find("windows of 48 bytes, records of 48 bytes in the order patch:4x4x3:2, "), std::string::npos)
      << begun.out;
  // 6,000 and 3,000 bytes of files are 125 and 62.5 records.
  EXPECT_NE(begun.err.find("note: 24 bytes at the ends of 1 of 2 files to learn from are left out"), std::string::npos)
      << begun.err;
  EXPECT_NE(
      begun.err.find("note: 40 bytes at the ends of 1 of 1 file to validate on are left out: they make no whole record"),
      std::string::npos)
      << begun.err;
  const std::string info = run_tool({"info", folder / "run"}).out;
  EXPECT_NE(info.find("  record\n    bytes 48\n    scan\n      kind patch, width 4, height 4, channels 3, tile 2"),
            std::string::npos)
      << info;
  EXPECT_NE(read_file(folder / "run/report.html").find("records of 48 bytes in the order patch:4x4x3:2"), std::string::npos);

  // A sample ends with a record.
  std::istringstream samples(read_file(folder / "run/samples.jsonl"));
  std::string line;
  for (int i = 0; i < 2; ++i) std::getline(samples, line);
  EXPECT_EQ(nlohmann::json::parse(line)["hex"].get<std::string>().size(), 2 * 96u);

  EXPECT_EQ(resume("run").code, 0);
  EXPECT_EQ(resume("run", {"--scan", "patch:4x4x3:2", "--record", "48"}).code, 0);
  expect_refusal(resume("run", {"--scan", "none"}), 1, {"--scan is none", "started with patch:4x4x3:2"});
  expect_refusal(resume("run", {"--record", "24"}), 1, {"--record is 24", "started with 48"});
}

TEST_F(ToolRecords, WithoutAScanTheyAreWhereWindowsBegin) {
  ASSERT_EQ(train("run", {"--steps", "3", "--record", "6"}).code, 0);
  EXPECT_EQ(load_run_config(folder / "run").model.record, (RecordConfig{6, {}}));
  const Outcome across = train("across", {"--steps", "3", "--record", "6", "--length", "24"});
  EXPECT_NE(across.err.find("records of 6 bytes and patches of 8: neither divides the other"), std::string::npos)
      << across.err;
  // Weights bring their records along, and options change them.
  ASSERT_EQ(train_pictures("pictures").code, 0);
  std::vector<std::string> from{"train", "--data", folder / "data", "--init", folder / "pictures", "--steps", "2"};
  const auto begun = [&](std::vector<std::string> more) {
    more.insert(more.begin(), from.begin(), from.end());
    const Outcome outcome = run_tool(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  };
  begun({"--out", folder / "same"});
  begun({"--out", folder / "raster", "--scan", "none"});
  EXPECT_EQ(load_run_config(folder / "same").model.record, kPicture);
  EXPECT_EQ(load_run_config(folder / "raster").model.record, (RecordConfig{48, {}}));
}

TEST_F(ToolRecords, OptionsThatDoNotFitAreRefused) {
  expect_refusal(train("run", {"--scan", "patch:4x4x3"}), 2,
                 {"--scan", "there is no scan 'patch:4x4x3'", "give patch:WxHxC:T"});
  expect_refusal(train("run", {"--scan", "patch:4x4x3:3"}), 1, {"record.scan.tile = 3 must divide the width 4"});
  expect_refusal(train("run", {"--scan", "patch:4x4x3:2", "--record", "24"}), 1, {"record.bytes = 24 must be the 48 bytes"});
  expect_refusal(train("run", {"--record", "10"}), 1, {"record.bytes = 10 neither divides length = 48 nor"});
  expect_refusal(train("run", {"--scan", "split:2"}), 1, {"record.scan.sample_bytes = 2 must be so that record.bytes = 1"});
  expect_refusal(train_pictures("run", {"--sample-every", "5", "--prompt", "Once"}), 1,
                 {"the text of --prompt has 4 bytes, and must have a multiple of 24"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run/state.safetensors"));
}

TEST_F(ToolRecords, EvalGivesTheOrderOfTheFile) {
  ASSERT_EQ(train_pictures("run").code, 0);
  const std::string text = some_text(4 * 48), file = folder.write("x", text + "the end");
  const std::vector<float> expected = evaluated(folder / "run", text);
  const Outcome found = run_tool({"eval", folder / "run", "--data", file, "--per-byte", folder / "bits"});
  ASSERT_EQ(found.code, 0) << found.err;
  EXPECT_EQ(per_byte(folder / "bits"), expected);
  EXPECT_NE(found.out.find("\nleft out: 7 bytes at the ends of files, no whole record of the model's\n"), std::string::npos)
      << found.out;
  const auto json = nlohmann::json::parse(run_tool({"eval", folder / "run", "--data", file, "--json"}).out);
  EXPECT_EQ(json["left_out"], 7);
  EXPECT_EQ(json["bytes"], 192);

  const Outcome piped =
      run_tool({"eval", folder / "run", "--data", "-", "--per-byte", folder / "piped", "--json"}, text + "the end");
  ASSERT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(nlohmann::json::parse(piped.out)["left_out"], 7);
  const std::vector<float> bits = per_byte(folder / "piped");
  ASSERT_EQ(bits.size(), expected.size());
  for (std::size_t i = 0; i < bits.size(); ++i) EXPECT_NEAR(bits[i], expected[i], 3e-4) << i;
  const Outcome none = run_tool({"eval", folder / "run", "--data", "-"}, "short");
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.err.find("standard input has no whole record of 48 bytes"), std::string::npos) << none.err;

  // Lines are those of the file.
  std::istringstream lines(run_tool({"eval", folder / "run", "--data", file, "--lines"}).out);
  std::size_t at = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const double sum =
        std::accumulate(expected.begin() + static_cast<Index>(at), expected.begin() + static_cast<Index>(end), 0.0);
    EXPECT_NEAR(std::stod(line), sum, 0.01) << line;
    at = end;
  }
  EXPECT_EQ(at, text.size());
  expect_refusal(run_tool({"eval", folder / "run", "--data", file, "--lines=alone"}), 1, {"which lines alone have not"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", file, "--stride", "24"}), 1,
                 {"must be a multiple of 48 up to 48"});
}

TEST_F(ToolRecords, GenerateWritesTheOrderOfTheFile) {
  ASSERT_EQ(train_pictures("run").code, 0);
  const std::string prompt = some_text(48 + 24);
  const auto model = load_model(folder / "run");
  const Scan scan(kPicture);
  const auto expected = [&](const std::string& begun, int bytes) {
    Generator generator(*model, {}, 1);
    generator.prompt(scan.to_model("it", bytes_of(begun)));
    std::string drawn(scan.to_model("it", bytes_of(begun)).size(), '\0'), out = begun;
    for (int i = 0; i < bytes; ++i) drawn += static_cast<char>(generator.next());
    out.resize(drawn.size());
    for (std::size_t i = begun.size(); i < drawn.size(); ++i)
      out[static_cast<std::size_t>(scan.in_file(static_cast<Index>(i)))] = drawn[i];
    return out.substr(begun.size());
  };
  const auto generated = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"generate", folder / "run"});
    const Outcome outcome = run_tool(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(generated({"--bytes", "96"}), expected("", 96));
  EXPECT_EQ(generated({"--bytes", "24"}), expected("", 24)) << "a row of tiles is whole";
  EXPECT_EQ(generated({"--bytes", "72", "--prompt", prompt}), expected(prompt, 72));
  generated({"--bytes", "72", "--prompt", prompt, "--samples", "2", "--out", folder / "sample"});
  EXPECT_EQ(read_file(folder / "sample-0001.bin"), expected(prompt, 72));

  const auto refused = [&](std::vector<std::string> more, const std::string& words) {
    more.insert(more.begin(), {"generate", folder / "run"});
    expect_refusal(run_tool(more), 1, {words});
  };
  refused({"--bytes", "50"}, "what --bytes asks for has 50 bytes, and must have a multiple of 24");
  refused({"--bytes", "48", "--prompt", "Once"}, "the prompt has 4 bytes, and must have a multiple of 24");
  refused({"--bytes", "48", "--stop", "x"}, "--stop looks for text as it is written");
}

TEST_F(ToolRecords, WhatHasNoRecordsSaysSo) {
  ASSERT_EQ(train_pictures("run").code, 0);
  ASSERT_EQ(train("other").code, 0);
  const std::string whole = folder.write("whole", some_text(96)), rest = folder.write("rest", some_text(100));
  const std::vector<std::string> classify{"classify", folder / "other", folder / "run", "--data"};
  const auto with = [&](const std::string& path, const std::string& more = "") {
    std::vector<std::string> all = classify;
    all.push_back(path);
    if (!more.empty()) all.push_back(more);
    return all;
  };
  EXPECT_EQ(run_tool(with(whole)).code, 0);
  const auto refused = [](const Outcome& outcome, const std::string& words) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
  };
  refused(run_tool(with(rest)), "have 4 bytes that are no whole record of the model");
  refused(run_tool(with(whole, "--lines")), "by themselves have no such order");
  refused(run_tool(with("-"), some_text(96)), "standard input is no file of them");
  refused(run_tool({"embed", folder / "run", "--data", whole, "--out", folder / "vectors"}), "gives no embeddings");
}

TEST_F(ToolRecords, StridedReadsWindowsTwice) {
  ASSERT_EQ(train("run").code, 0);
  const std::string text = some_text(500), file = folder.write("x", text);
  for (const Index stride : {48, 16}) {
    const Outcome found = run_tool({"eval", folder / "run", "--data", file, "--strided", "--stride", std::to_string(stride),
                                    "--per-byte", folder / "bits"});
    ASSERT_EQ(found.code, 0) << found.err;
    const std::vector<float> bits = per_byte(folder / "bits");
    EXPECT_EQ(bits, evaluated(folder / "run", text, {.stride = stride, .strided = true}));
    EXPECT_NE(bits, evaluated(folder / "run", text, {.stride = stride}));
  }
  expect_refusal(run_tool({"eval", folder / "run", "--strided", "--data", "-"}, text), 1,
                 {"--strided reads windows of files"});
  expect_refusal(run_tool({"eval", folder / "run", "--strided", "--data", file, "--lines=alone"}), 1, {"nor lines alone"});
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// Data, disks, folders and memory that are not as they should be.
#include <sys/stat.h>
#include <unistd.h>

#include "megalith/io/checkpoint.h"
#include "megalith/io/safetensors.h"
#include "megalith/models/model_summary.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;

struct ToolHardDays : ToolTest {
  bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
  std::string file(const std::string& name) const { return read_file(folder / name); }
  Arguments short_run(const std::string& data, const std::string& run, const Arguments& more = {},
                      const std::string& model = "model.json") const {
    Arguments all{"train", "--data", data, "--out", folder / run, "--model", folder / model};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// A run of many steps that was stopped after some.
  void stopped_run(const std::string& run) const {
    Tool tool(train_options(run, {"--steps", "100000"}));
    ASSERT_TRUE(wait_until([&] { return !file(run + "/metrics.jsonl").empty(); }));
    tool.signal(SIGINT);
    ASSERT_EQ(tool.wait().code, 130);
  }
  void expect_no_temporary_files() const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      EXPECT_NE(entry.path().extension(), ".megalith-tmp") << entry.path();
  }
};

TEST_F(ToolHardDays, DataThatCannotBeRead) {
  const std::string locked = folder.write("locked.txt", some_text(999));
  std::filesystem::permissions(locked, std::filesystem::perms::none);
  if (::access(locked.c_str(), R_OK) == 0) GTEST_SKIP() << "whoever runs this may read everything";
  expect_refusal(run_tool(short_run(locked, "run", {"--steps", "1"})), 1, {"cannot read", locked, "Permission denied"});
  EXPECT_FALSE(exists("run"));
}

TEST_F(ToolHardDays, ANamedPipeIsNoFile) {
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_refusal(run_tool(short_run(folder / "pipe", "run", {"--steps", "1"})), 1, {folder / "pipe", "a pipe, not a file"});
  EXPECT_FALSE(exists("run"));
  ASSERT_EQ(train("run").code, 0);
  expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "pipe"}), 1, {"a pipe, not a file"});
}

TEST_F(ToolHardDays, DataThatShrinkEndTheRunAndKeepIt) {
  Tool tool(train_options("run", {"--steps", "1000000"}));
  ASSERT_TRUE(wait_until([&] { return !file("run/metrics.jsonl").empty(); }));
  std::filesystem::resize_file(folder / "data/a.txt", 10);
  const Outcome outcome = tool.wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("a.txt ends at byte"), std::string::npos) << outcome.err;
  expect_refusal(resume("run"), 1, {"data.train was"});
  folder.write("data/a.txt", some_text(6000));
  Tool again({"train", "--out", folder / "run", "--resume"});
  EXPECT_TRUE(wait_until([&] { return again.errors_so_far().find("products") != std::string::npos; }));
}

TEST_F(ToolHardDays, PathsWithSpacesAndLines) {
  const std::string data = folder.write("my data\n2/a file\n.txt", some_text(3000));
  ASSERT_EQ(run_tool(short_run(folder / "my data\n2", "my run\n2", {"--steps", "3"})).code, 0);
  EXPECT_EQ(run_tool({"train", "--out", folder / "my run\n2", "--resume"}).code, 0);
  EXPECT_EQ(run_tool({"eval", folder / "my run\n2", "--data", data, "--per-byte", folder / "my\nbits"}).code, 0);
  EXPECT_EQ(file("my\nbits").size(), 4 * 3000u);
}

TEST_F(ToolHardDays, AFolderThatIsThere) {
  std::filesystem::create_directories(folder / "bare");
  EXPECT_EQ(train("bare").code, 0);
  // As a process leaves it that was killed in its first write, and one whose config.json was damaged later.
  folder.write("begun/config.json.megalith-tmp", "{\"format_ver");
  EXPECT_EQ(train("begun").code, 0);
  EXPECT_FALSE(exists("begun/config.json.megalith-tmp"));
  folder.write("half/config.json", "{\"format_ver");
  expect_refusal(train("half"), 1, {"holds a run already"});
  expect_refusal(resume("half"), 1, {"config.json", "not valid JSON"});
  EXPECT_EQ(file("half/config.json"), "{\"format_ver");
}

TEST_F(ToolHardDays, AReadOnlyFolder) {
  expect_refusal(
      run_tool({"train", "--data", folder / "data", "--out", "/proc/run", "--model", folder / "model.json", "--steps", "1"}),
      1, {"/proc/run"});
  ASSERT_EQ(train("run").code, 0);
  expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "data", "--html", "/proc/page"}), 1, {"/proc/page"});
  expect_refusal(run_tool({"generate", folder / "run", "--bytes", "3", "--samples", "2", "--out", "/proc/s"}), 1,
                 {"/proc/s-0001.bin"});
}

/// No file may grow beyond that many blocks of 512 bytes: as if the disk were full.
Arguments full_after(int blocks) { return after("ulimit -f " + std::to_string(blocks)); }

TEST_F(ToolHardDays, AFullDiskAtTheStart) {
  const Outcome outcome = run_tool(train_options("run", {"--steps", "5"}), "", full_after(40));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("cannot write " + folder / "run/model.safetensors"), std::string::npos) << outcome.err;
  expect_no_temporary_files();
}

TEST_F(ToolHardDays, AFullDiskInTheMiddleKeepsTheCheckpoint) {
  stopped_run("run");
  const std::string model = file("run/model.safetensors"), state = file("run/state.safetensors");
  const int enough_for_the_model = static_cast<int>(model.size() / 512) + 40;
  ASSERT_GT(state.size(), 512u * static_cast<std::size_t>(enough_for_the_model));
  const Outcome outcome = run_tool({"train", "--out", folder / "run", "--resume", "--save-every", "0.0001"}, "",
                                   full_after(enough_for_the_model));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("cannot write " + folder / "run/state.safetensors"), std::string::npos) << outcome.err;
  EXPECT_TRUE(file("run/state.safetensors") == state);
  expect_no_temporary_files();
  Tool again({"train", "--out", folder / "run", "--resume"});
  EXPECT_TRUE(wait_until([&] { return again.errors_so_far().find("products") != std::string::npos; }));
  again.signal(SIGINT);
  EXPECT_EQ(again.wait().code, 130);
}

TEST_F(ToolHardDays, AFullDiskLeavesNoHalfOfAnOutput) {
  ASSERT_EQ(train("run").code, 0);
  const Outcome page =
      run_tool({"eval", folder / "run", "--data", folder / "data", "--html", folder / "page.html"}, "", full_after(8));
  EXPECT_EQ(page.code, 1);
  EXPECT_NE(page.err.find("cannot write " + folder / "page.html"), std::string::npos) << page.err;
  const Outcome samples =
      run_tool({"generate", folder / "run", "--bytes", "9000", "--samples", "2", "--out", folder / "s"}, "", full_after(8));
  EXPECT_EQ(samples.code, 1);
  EXPECT_NE(samples.err.find("cannot write " + folder / "s-0001.bin"), std::string::npos) << samples.err;
  EXPECT_FALSE(exists("page.html") || exists("s-0001.bin"));
  expect_no_temporary_files();
}

TEST_F(ToolHardDays, NumbersOfThreads) {
  for (const char* threads : {"0", "10000", "-1", "two"})
    expect_refusal(train("run", {"--steps", "1", "--threads", threads}), 2,
                   {"--threads", "'" + std::string(threads) + "'", "from 1 to 4096"});
  EXPECT_FALSE(exists("run"));
}

TEST_F(ToolHardDays, AModelThatDoesNotFitIsRefusedBeforeItIsMade) {
  const auto refused = [&](const std::string& name, ModelConfig config, const Arguments& more) {
    folder.write(name, to_json(config));
    expect_refusal(run_tool(short_run(folder / "data", "run", more, name)), 1,
                   {"training on batches of ", "MB of memory", "take a smaller"});
    EXPECT_FALSE(exists("run"));
  };
  ModelConfig wide = miniature(), deep = miniature(), longest = miniature();
  wide.scales[0].stack.width = 65536;
  wide.scales[0].stack.layers = 1024;
  refused("wide.json", wide, {});
  deep.scales[0].stack.layers = 1024;
  refused("deep.json", deep, {"--batch", "1048576"});
  longest.length = Index{1} << 31;
  refused("long.json", longest, {});
  refused("longest.json", longest, {"--batch", "1048576"});  // more than 64 bits count
}

TEST_F(ToolHardDays, ALimitOfMemoryIsKept) {
  if (std::getenv("ASAN_OPTIONS") != nullptr) GTEST_SKIP() << "a sanitizer takes terabytes of addresses";
  ModelConfig config = miniature();
  config.scales[0].stack = {.width = 1024, .layers = 8, .block = TransformerConfig{.heads = 2}};  // 100 million parameters
  folder.write("large.json", to_json(config));
  expect_refusal(run_tool(short_run(folder / "data", "run", {}, "large.json"), "", after("ulimit -v 1000000")), 1,
                 {"training on batches of ", "MB can be had"});
  EXPECT_FALSE(exists("run"));
}

TEST_F(ToolHardDays, ACheckpointThatDoesNotFitIsRefusedBeforeItIsRead) {
  // Names, shapes and a config that claim more than any machine has; the file is as long as they say, and all hole.
  ModelConfig config = miniature();
  config.length = Index{1} << 31;
  config.scales = {
      {.patch = 1,
       .stack = {.width = 8192, .layers = 1024, .positions = PositionKind::none, .block = TransformerConfig{.heads = 2}}}};
  ASSERT_EQ(train("run").code, 0);
  const SafetensorsReader reader(folder / "run/model.safetensors");
  std::string metadata;
  for (const auto& [key, value] : reader.metadata())
    if (key != "config") metadata += "\"" + key + "\":\"" + value + "\",";
  std::string quoted;
  for (const char c : to_json(config)) quoted += c == '"' ? std::string("\\\"") : c == '\n' ? " " : std::string(1, c);
  const Index numbers = static_cast<Index>(make_summary(config)->parameter_count());
  const std::string header = "{\"__metadata__\":{" + metadata + "\"config\":\"" + quoted +
                             "\"},\"w\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(numbers) +
                             "],\"data_offsets\":[0," + std::to_string(4 * numbers) + "]}}";
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  folder.write("huge.safetensors", length + header);
  std::error_code error;
  std::filesystem::resize_file(folder / "huge.safetensors", 8 + header.size() + 4 * static_cast<std::size_t>(numbers),
                               error);
  if (error) GTEST_SKIP() << "this file system has no holes";
  expect_refusal(run_tool({"generate", folder / "huge.safetensors", "--bytes", "5"}), 1,
                 {"a model of ", "parameters takes about", "MB of memory"});
  expect_refusal(run_tool({"eval", folder / "huge.safetensors", "--data", folder / "data"}), 1,
                 {"a model of ", "parameters takes about"});
  expect_refusal(
      run_tool({"train", "--init", folder / "huge.safetensors", "--data", folder / "data", "--out", folder / "new"}), 1,
      {"training on batches of "});
}

TEST_F(ToolHardDays, AWindowThatDoesNotFitIsRefused) {
  ModelConfig config = miniature();
  config.scales = {
      {.patch = 1,
       .stack = {.width = 512, .layers = 1, .positions = PositionKind::none, .block = TransformerConfig{.heads = 2}}}};
  const auto model = make_model(config);
  model->init({1});
  config.length = Index{1} << 31;
  save_model(folder / "long.safetensors", config, model->parameters());
  expect_refusal(run_tool({"generate", folder / "long.safetensors", "--bytes", "5"}), 1,
                 {"reading 1 sequence of 2147483648 bytes takes about", "MB of memory"});
  // Evaluation takes what the data take.
  EXPECT_EQ(run_tool({"eval", folder / "long.safetensors", "--data", folder / "valid.txt"}).code, 0);
}

TEST_F(ToolHardDays, AnyBytesAreData) {
  std::string bytes;
  for (int i = 0; i < 4000; ++i) bytes += static_cast<char>(i * 167 % 256 * (i % 3));  // zeros, and not UTF-8
  const std::string data = folder.write("bytes.bin", bytes);
  ASSERT_EQ(run_tool(short_run(data, "run", {"--steps", "3", "--valid-share", "0.1"})).code, 0);
  const Outcome evaluated =
      run_tool({"eval", folder / "run", "--data", data, "--html", folder / "page.html", "--per-byte", folder / "bits"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_NE(evaluated.out.find("\nbytes: 4000\n"), std::string::npos) << evaluated.out;
  EXPECT_EQ(file("bits").size(), 4 * bytes.size());
  EXPECT_EQ(file("page.html").find('\0'), std::string::npos);
  EXPECT_NE(file("page.html").find(">00</i>"), std::string::npos) << "in hexadecimal";

  const std::string odd = "\xff\xfe \xc3(";
  folder.write("prompt", odd);
  const Arguments how{"generate", folder / "run", "--bytes", "30"};
  const auto with = [&](const Arguments& more) {
    Arguments all = how;
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(all);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(with({"--prompt", odd}), with({"--prompt-file", folder / "prompt"}));
  EXPECT_EQ(with({"--prompt", odd}).size(), 30u);
  const std::string all = with({"--prompt", odd});
  EXPECT_EQ(with({"--prompt", odd, "--stop", odd}), all.substr(0, all.find(odd)));
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// What megalith train prints and leaves behind.
#include <regex>

#include "megalith/train/recipes.h"
#include "megalith/train/run_config.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

struct ToolTrain : ToolTest {};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(ToolTrain, SaysWhatStartsAndWhatCameOut) {
  const Outcome outcome = train("run");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(std::regex_search(outcome.err, std::regex("^megalith [0-9.]+: 2 threads, [A-Za-z0-9-]+ products(, .+)?\n")))
      << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "parameters, windows of 48 bytes")) << outcome.out;
  EXPECT_TRUE(
      contains(outcome.out, "data: 9,000 bytes in 2 files to learn from, 1,000 bytes in 1 file to validate on; for 12"));
  EXPECT_TRUE(
      std::regex_search(outcome.out, std::regex("validation: [0-9.]+ bits per byte over 1,000 bytes, after 12 steps\n")))
      << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "the run is in " + folder / "run")) << outcome.out;
  // Elsewhere than on a terminal, progress comes in plain lines.
  EXPECT_TRUE(contains(outcome.err, "step 12/12  ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " bits/byte  ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " bytes/s  ")) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, " GFLOP/s")) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "\r")) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "\033")) << outcome.err;
}

TEST_F(ToolTrain, LeavesTheFilesOfARun) {
  ASSERT_EQ(train("run").code, 0);
  for (const char* name : {"config.json", "model.safetensors", "state.safetensors", "metrics.jsonl"})
    EXPECT_GT(std::filesystem::file_size(folder / ("run/" + std::string(name))), 0u) << name;
  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  const std::string last = metrics.substr(metrics.rfind('\n', metrics.size() - 2) + 1);
  for (const char* key :
       {"step", "bytes", "seconds", "train_bpb", "lr", "grad_norm", "bytes_per_second", "valid_bpb", "valid_bytes"})
    EXPECT_TRUE(contains(last, "\"" + std::string(key) + "\":")) << key << " in " << last;
  EXPECT_TRUE(std::regex_search(last, std::regex("\"step\": ?12[,}]"))) << last;
  EXPECT_TRUE(std::regex_search(last, std::regex("\"bytes\": ?1152[,}]"))) << last;  // 12 steps, 2 windows of 48
}

TEST_F(ToolTrain, ValidatesOnAShare) {
  const Outcome outcome = run_tool({"train", "--data", folder / "data", "--valid-share", "0.1", "--model",
                                    folder / "model.json", "--out", folder / "run", "--bytes", "1000", "--batch", "2"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "over 900 bytes, after 11 steps")) << outcome.out;  // the last 10 % of 9,000
}

TEST_F(ToolTrain, WithoutValidationDataSaysSo) {
  const Outcome outcome = run_tool(
      {"train", "--data", folder / "data", "--model", folder / "model.json", "--out", folder / "run", "--steps", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "done after 1 step; no validation")) << outcome.out;
}

TEST_F(ToolTrain, OptionsReachTheModel) {
  const Outcome outcome = train("run", {"--steps", "3", "--length", "24", "--dropout", "0.25", "--accumulate", "2", "--lr",
                                        "0.002", "--schedule", "cosine", "--average", "0.9", "--seed", "7"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "windows of 24 bytes")) << outcome.out;
  const std::string config = read_file(folder / "run/config.json");
  for (const char* setting : {"\"length\": 24", "\"dropout\": 0.25", "\"accumulate\": 2", "0.002", "\"cosine\"",
                              "\"average\": 0.9", "\"seed\": 7"})
    EXPECT_TRUE(contains(config, setting)) << setting << " in " << config;
}

TEST_F(ToolTrain, ANamedModelBringsItsRecipe) {
  const auto config_of = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> options{"train",   "--data", folder / "data", "--model",   "megabyte-tiny", "--length", "16",
                                     "--steps", "1",      "--out",         folder / run};
    options.insert(options.end(), more.begin(), more.end());
    const Outcome outcome = run_tool(options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return load_run_config(folder / run).train;
  };
  const TrainConfig own = recipe("megabyte-tiny"), plain = config_of("plain", {}),
                    given = config_of("given", {"--lr", "7e-4"});
  EXPECT_NE(own.schedule.peak, TrainConfig{}.schedule.peak);
  EXPECT_EQ(plain.schedule, own.schedule);
  EXPECT_EQ(plain.batch, own.batch);
  EXPECT_EQ(given.schedule.peak, 7e-4);
  EXPECT_EQ(given.batch, own.batch);
}

TEST_F(ToolTrain, StartsFromGivenWeightsAndTheirModel) {
  ASSERT_EQ(train("first").code, 0);
  const Outcome outcome = run_tool({"train", "--data", folder / "data", "--init", folder / "first", "--out",
                                    folder / "second", "--steps", "1", "--lr", "1e-30", "--batch", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  // With a learning rate of nothing, the weights are still those that the run started from.
  const auto evaluated = [&](const char* run) {
    return run_tool({"eval", folder / run, "--data", folder / "valid.txt"}).out;
  };
  EXPECT_EQ(evaluated("first"), evaluated("second"));
}

TEST_F(ToolTrain, TheNumberOfThreadsChangesNoBit) {
  ASSERT_EQ(train("two").code, 0);
  std::vector<std::string> options = train_options("three", {"--steps", "12"});
  *(std::find(options.begin(), options.end(), "--threads") + 1) = "3";
  ASSERT_EQ(run_tool(options).code, 0);
  EXPECT_EQ(read_file(folder / "two/model.safetensors"), read_file(folder / "three/model.safetensors"));
}

TEST_F(ToolTrain, FilesFollowTheUmask) {
  ASSERT_EQ(run_tool(train_options("run", {"--steps", "3", "--sample-every", "2"}), "", after("umask 007")).code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run"))
    EXPECT_EQ(static_cast<int>(entry.status().permissions()), 0660) << entry.path();
}

TEST_F(ToolTrain, NotesDataThatDisappoint) {
  folder.write("data/c.gz", std::string("\x1f\x8b\x08 compressed", 14));
  folder.write("copy of b", read_file(folder / "data/b.txt"));
  folder.write("no copy", some_text(3000, 501));
  const Outcome outcome =
      run_tool({"train", "--data", folder / "data", "--valid", folder / "data/a.txt", folder / "copy of b",
                folder / "no copy", "--model", folder / "model.json", "--out", folder / "run", "--steps", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "2 of 3 validation files are learned from as well")) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.err, "1 of 3 files to learn from, 0.2 % of the bytes, is compressed (gzip 1), such as " +
                                folder / "data/c.gz: nothing can be learned from them; unpack them or leave them out"))
      << outcome.err;
  std::filesystem::remove(folder / "data/c.gz");
  EXPECT_FALSE(contains(train("other").err, "note:"));
}

TEST_F(ToolTrain, NotesPicturesAndSounds) {
  folder.write("data/c.png", "\x89PNG\r\n\x1a\n and so on");
  folder.write("data/d.jpg", "\xff\xd8\xff\xe0 and so on");
  folder.write("data/e.flac", "fLaC and so on");
  folder.write("data/f.wav", "RIFF1234WAVE and so on");
  folder.write("data/g.webp", "RIFF1234WEBP and so on");
  const std::string err = train("run").err;
  EXPECT_TRUE(
      contains(err,
               "note: 4 of 7 files to learn from, 0.7 % of the bytes, are compressed (FLAC 1, JPEG 1, PNG 1, "
               "WebP 1), such as " +
                   folder / "data/c.png: nothing can be learned from them; `megalith raw` makes pixels of PNG and JPEG; "
                            "sox or ffmpeg makes WAV of sounds, and `megalith raw` samples of that; unpack them or leave "
                            "them out\n"))
      << err;
  EXPECT_TRUE(contains(
      err,
      "note: 1 of 7 files to learn from, 0.2 % of the bytes, is in a format with a header (WAV 1), "
      "such as " +
          folder /
              "data/f.wav, which is learned as if it were sound: `megalith raw` leaves it out, and says with which options "
              "to train\n"))
      << err;
}

TEST_F(ToolTrain, ARunInsideItsDataGoesOn) {
  const std::vector<std::string> start{"train", "--data",          folder.path(), "--model", folder / "model.json",
                                       "--out", folder / "runs/a", "--steps",     "30"};
  ASSERT_EQ(run_tool(start).code, 0);
  const Outcome resumed = resume("runs/a", {"--steps", "+3"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_refusal(run_tool({"train", "--data", folder / "data", "--out", folder / "data", "--model", folder / "model.json"}),
                 1, {"is in the data", "choose another folder"});
}

TEST_F(ToolTrain, AWarmUpIsShorterThanTheRun) {
  expect_refusal(train("run", {"--steps", "12", "--warmup", "12"}), 1, {"--warmup 12", "12 steps"});
  ASSERT_EQ(train("run", {"--steps", "12", "--warmup", "6"}).code, 0);
  EXPECT_EQ(load_run_config(folder / "run").train.schedule.warmup_steps, 6);
  EXPECT_EQ(load_run_config(folder / "run").train.schedule.warmup_share, 1);
}

}  // namespace
}  // namespace megalith::tests

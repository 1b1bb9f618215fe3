// SPDX-License-Identifier: Apache-2.0
// Bad input: exit codes, and the important words of each sentence.
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;
constexpr int kFailed = 1, kWrongUsage = 2;

struct ToolUsage : ToolTest {};

TEST_F(ToolUsage, HelpAndVersionSucceed) {
  for (const Arguments& arguments : {Arguments{"--help"}, {"--version"}, {"train", "--help"}, {"generate", "--help"}}) {
    const Outcome outcome = run_tool(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_FALSE(outcome.out.empty());
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(ToolUsage, ModelsListsThePresets) {
  const Outcome outcome = run_tool({"models"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* name : {"megabyte-tiny", "megabyte-small", "megabyte-books", "megabyte-three-scale",
                           "vanilla-small-flops", "vanilla-small-params", "vanilla-small-window"})
    EXPECT_NE(outcome.out.find(name), std::string::npos) << name;
}

TEST_F(ToolUsage, AnUnknownVerbNamesTheNearest) {
  expect_refusal(run_tool({"trian"}), kWrongUsage, {"'trian'", "train"});
  expect_refusal(run_tool({"sing"}), kWrongUsage,
                 {"'sing'", "; choose from train, eval, generate, classify, embed, raw, show, models"});
  expect_refusal(run_tool({}), kWrongUsage, {"megalith --help"});
}

TEST_F(ToolUsage, SentencesAboutOptions) {
  const auto says = [&](const Arguments& arguments, const std::string& sentence) {
    const Outcome outcome = run_tool(arguments);
    EXPECT_EQ(outcome.code, kWrongUsage);
    EXPECT_EQ(outcome.err, "megalith " + arguments[0] + ": " + sentence + "\n");
  };
  const std::string see_train = "; see megalith train --help", see_generate = "; see megalith generate --help";
  says({"train", "--step", "5", "--out", "x"}, "there is no option --step; did you mean \"--steps\"?");
  says({"train", "--ouut", "x"}, "there is no option --ouut; did you mean \"--out\"?");  // rather than that --out is missing
  says({"train", "--ouut=x"}, "there is no option --ouut; did you mean \"--out\"?");
  says({"train", "--colour", "x"}, "there is no option --colour" + see_train);
  says({"models", "--colour"}, "there is no option --colour; choose from --help");
  says({"train", "-x", "--out", "x"}, "there is no option -x" + see_train);
  says({"train", "--out", "x", "--out", "y", "--data", "z"}, "--out is given 2 times; give it once" + see_train);
  says({"generate", "x", "--bytes", "1", "--bytes", "2", "--bytes", "3"},
       "--bytes is given 3 times; give it once" + see_generate);
  says({"train", "--steps"}, "--steps is given without its value N" + see_train);
  says({"train", "--data", "x"}, "--out DIR is missing" + see_train);
  says({"train", "--out", "x"}, "--data PATH is missing" + see_train);
  says({"generate", "--bytes", "1"}, "the run is missing; give RUN_DIR|CHECKPOINT" + see_generate);
  says({"generate", "x", "y", "--bytes", "1"}, "there is nothing to do with 'y'" + see_generate);
  says({"train", "--out", "x", "--data"}, "--data is given without its value PATH" + see_train);
  says({"train", "--out", "x", "--data", "a", "b", "--data"}, "--data is given without its value PATH" + see_train);
  expect_refusal(run_tool({"--threads", "4", "info", "megabyte-tiny"}), kWrongUsage,
                 {"megalith info: '--threads' stands outside of what megalith info takes; options come after the verb"});
  says({"generate", "x", "--bytes", "1", "--samples", "2"},
       "--samples is given without --out PREFIX, which it needs" + see_generate);
  says({"generate", "x", "--bytes", "1", "--force=no"}, "--force takes no value" + see_generate);
  says({"train", "--out", "x", "--data", "y", "--steps", "4", "--minutes", "3"},
       "--steps and --minutes exclude each other; give one of them" + see_train);
  expect_refusal(run_tool({"--foo"}), kWrongUsage, {"megalith: there is no option --foo; choose from --help, --version\n"});
}

TEST_F(ToolUsage, TrainRefusesBadOptions) {
  const auto refused = [&](const Arguments& options, const Arguments& words) {
    expect_refusal(train("run", options), kWrongUsage, words);
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused({"--steps", "0"}, {"--steps", "'0'", "at least 1"});
  refused({"--steps", "-3"}, {"--steps", "'-3'"});
  refused({"--steps", "99999999999999999999"}, {"--steps", "99999999999999999999"});
  refused({"--steps", "5", "--minutes", "1"}, {"--minutes", "--steps"});
  refused({"--batch", "two"}, {"--batch", "'two'"});
  refused({"--lr", "nan"}, {"--lr", "'nan'", "above 0"});
  refused({"--dropout", "1"}, {"--dropout", "'1'", "below 1"});
  refused({"--average", "-0.1"}, {"--average", "'-0.1'"});
  refused({"--valid-share", "0.5"}, {"--valid-share", "--valid"});  // the fixture gives --valid
  refused({"--schedule", "cosin"}, {"--schedule", "cosin", "cosine"});
  refused({"--seed", "-1"}, {"--seed", "'-1'"});
  refused({"--threads", "0"}, {"--threads", "'0'"});
  refused({"--patience", "0"}, {"--patience", "'0'"});
  refused({"--sample-bytes", "0"}, {"--sample-bytes", "'0'"});
  refused({"--sample-bytes", "9"}, {"--sample-bytes", "--sample-every"});
  refused({"--prompt", "x"}, {"--prompt", "--sample-every"});
  refused({"--prompt", "x", "--sample-every", "0"}, {"--prompt", "--sample-every"});
  refused({"--what"}, {"--what"});
  expect_refusal(run_tool({"train", "--out", folder / "run"}), kWrongUsage, {"--data"});
  expect_refusal(run_tool({"train", "--data", folder / "data"}), kWrongUsage, {"--out"});
}

TEST_F(ToolUsage, ResumeRefusesOptionsOfSamplesWhereNoneAreTaken) {
  ASSERT_EQ(train("run").code, 0);
  expect_refusal(resume("run", {"--prompt", "x"}), kWrongUsage, {"--prompt", "--sample-every"});
  expect_refusal(resume("run", {"--sample-every", "0", "--sample-bytes", "9"}), kWrongUsage, {"--sample-bytes"});
  ASSERT_EQ(train("sampled", {"--steps", "3", "--sample-every", "2"}).code, 0);
  EXPECT_EQ(resume("sampled", {"--prompt", "x"}).code, 0);
}

TEST_F(ToolUsage, TrainRefusesBadData) {
  const auto refused = [&](const std::string& data, const Arguments& words) {
    expect_refusal(run_tool({"train", "--data", data, "--out", folder / "run", "--model", folder / "model.json"}), kFailed,
                   words);
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused(folder / "nowhere", {"nowhere"});
  folder.write("empty.txt", "");
  refused(folder / "empty.txt", {"empty.txt"});
  std::filesystem::create_directories(folder / "bare");
  refused(folder / "bare", {"bare"});
  folder.write("short.txt", "too short");
  refused(folder / "short.txt", {"9", "48"});
}

TEST_F(ToolUsage, TrainRefusesBadModels) {
  const auto refused = [&](const Arguments& options, const Arguments& words) {
    Arguments all{"train", "--data", folder / "data", "--out", folder / "run", "--steps", "1"};
    all.insert(all.end(), options.begin(), options.end());
    expect_refusal(run_tool(all), kFailed, words);
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused({"--model", "megabyte-tinny"}, {"megabyte-tinny", "megabyte-tiny"});
  refused({"--model", folder / "nothing.json"}, {"nothing.json"});
  refused({"--model", folder / "model.json", "--length", "50"}, {"50", "8"});
  refused({"--model", folder / "model.json", "--init", folder / "nothing"}, {"nothing"});
  folder.write("broken.json", "{\"length\": 48, \"scales\": [");
  refused({"--model", folder / "broken.json"}, {"broken.json"});
  refused({"--model", "gpt"}, {"\"gpt\"; choose from megabyte-tiny, megabyte-small", "paper-audio"});
  ASSERT_EQ(train("first").code, 0);
  refused({"--model", "megabyte-small", "--init", folder / "first"},
          {"first/model.safetensors: the file holds a model of 1 layer of width 32 over patches of 8 bytes, 1 layer of "
           "width 16 over "
           "bytes, "
           "windows of 48 bytes, this model is 6 layers of width 512 over patches of 8 bytes",
           "the first difference is length (48 and 1024)"});
  folder.write("odd.json", "{\"lenght\": 48, \"scales\": []}");
  refused({"--model", folder / "odd.json"}, {"lenght", "length"});
}

TEST_F(ToolUsage, TrainRefusesBadFolders) {
  ASSERT_EQ(train("run").code, 0);
  const std::string before = read_file(folder / "run/model.safetensors");
  expect_refusal(train("run"), kFailed, {folder / "run", "resume"});
  EXPECT_EQ(read_file(folder / "run/model.safetensors"), before);
  folder.write("file", "");
  EXPECT_EQ(train("file").code, kFailed);
  EXPECT_EQ(train("file/below").code, kFailed);
  expect_refusal(resume("nowhere"), kFailed, {folder / "nowhere"});
}

TEST_F(ToolUsage, EvalAndGenerateRefuseBadCheckpoints) {
  const auto refused = [&](const std::string& checkpoint, const Arguments& words) {
    expect_refusal(run_tool({"eval", checkpoint, "--data", folder / "data"}), kFailed, words);
    const Outcome generated = run_tool({"generate", checkpoint, "--bytes", "5"});
    expect_refusal(generated, kFailed, words);
    EXPECT_EQ(generated.out, "");
  };
  refused(folder / "nowhere", {"nowhere"});
  refused(folder / "data/a.txt", {"a.txt"});
  refused(folder / "data", {"data"});  // a folder that is not a run
  ASSERT_EQ(train("run").code, 0);
  const std::string whole = read_file(folder / "run/model.safetensors");
  folder.write("cut.safetensors", whole.substr(0, whole.size() - 4));
  refused(folder / "cut.safetensors", {"cut.safetensors"});
}

TEST_F(ToolUsage, NoCheckpointTakesMemoryThatThereIsNot) {
  // Its positions are not parameters, so the file is as small as ever, and what it says of its length is all there is.
  const StackConfig deep{
      .width = 64, .layers = 16, .positions = PositionKind::rotary, .block = TransformerConfig{.heads = 1}};
  folder.write("model.json", to_json({.length = kLength, .scales = {{.patch = 1, .stack = deep}}}));
  ASSERT_EQ(train("run", {"--steps", "1"}).code, 0);
  std::string file = read_file(folder / "run/model.safetensors");
  const std::string from = "\\\"length\\\": 48,\\n  ", to = "\\\"length\\\":2147483640,";
  ASSERT_NE(file.find(from), file.npos);
  file.replace(file.find(from), from.size(), to);
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  header += to.size() - from.size();
  std::memcpy(file.data(), &header, sizeof header);
  const std::string checkpoint = folder.write("long.safetensors", file);
  expect_refusal(run_tool({"generate", checkpoint, "--bytes", "5"}), kFailed,
                 {"reading 1 sequence of 2147483640 bytes takes about", "MB of memory"});
  Arguments again = train_options("again", {"--steps", "1", "--init", checkpoint});
  again.erase(std::find(again.begin(), again.end(), "--model"), std::find(again.begin(), again.end(), "--out"));
  expect_refusal(run_tool(again), kFailed, {"training on batches of 2 x 2147483640 bytes takes about"});
  EXPECT_FALSE(std::filesystem::exists(folder / "again"));
  EXPECT_EQ(run_tool({"info", checkpoint}).code, 0);
  EXPECT_EQ(run_tool({"eval", checkpoint, "--data", folder / "valid.txt"}).code, 0) << "one window of 1,000 bytes";
}

TEST_F(ToolUsage, GenerateRefusesBadOptions) {
  ASSERT_EQ(train("run").code, 0);
  const auto refused = [&](const Arguments& options, const Arguments& words) {
    Arguments all{"generate", folder / "run"};
    all.insert(all.end(), options.begin(), options.end());
    const Outcome outcome = run_tool(all);
    expect_refusal(outcome, kWrongUsage, words);
    EXPECT_EQ(outcome.out, "");
  };
  refused({}, {"--bytes"});
  refused({"--bytes", "-1"}, {"--bytes", "'-1'"});
  refused({"--bytes", "5", "--top-p", "1.5"}, {"--top-p", "'1.5'", "at most 1"});
  refused({"--bytes", "5", "--top-p", "0"}, {"--top-p", "'0'"});
  refused({"--bytes", "5", "--min-p", "2"}, {"--min-p", "'2'"});
  refused({"--bytes", "5", "--top-k", "257"}, {"--top-k", "'257'"});
  refused({"--bytes", "5", "--temperature", "-1"}, {"--temperature", "'-1'"});
  refused({"--bytes", "5", "--temperature", "inf"}, {"--temperature", "'inf'"});
  refused({"--bytes", "5", "--prompt", "a", "--prompt-file", "b"}, {"--prompt", "--prompt-file"});
  expect_refusal(run_tool({"generate", folder / "run", "--bytes", "5", "--prompt-file", folder / "nothing"}), kFailed,
                 {"nothing"});
}

TEST_F(ToolUsage, EvalRefusesBadOptions) {
  ASSERT_EQ(train("run").code, 0);
  expect_refusal(run_tool({"eval", folder / "run"}), kWrongUsage, {"--data"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "nothing"}), kFailed, {"nothing"});
  expect_refusal(run_tool({"eval", folder / "run", "--data", folder / "data", "--per-byte", folder / "no/where"}), kFailed,
                 {folder / "no/where"});
}

int status_of(const std::string& command) { return WEXITSTATUS(std::system(command.c_str())); }

TEST_F(ToolUsage, AFullDiskIsNoSuccess) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  const std::string tool = std::string("'") + MEGALITH_TOOL + "' ";
  for (const char* printing : {"models", "man", "flops", "--help", "completion bash"})
    EXPECT_EQ(status_of(tool + printing + " > /dev/full 2> '" + folder / "err" + "'"), 1) << printing;
  EXPECT_EQ(read_file(folder / "err"), "megalith: could not write to standard output\n");
}

TEST_F(ToolUsage, ClosedFilesOfTheCallerAreNotWrittenInto) {
  ASSERT_EQ(train("run").code, 0);
  EXPECT_EQ(status_of(std::string("'") + MEGALITH_TOOL + "' generate '" + folder / "run" +
                      "' --bytes 5 --samples 1 --out '" + folder / "s" + "' <&- >&- 2>&-"),
            0);
  EXPECT_EQ(read_file(folder / "s-0001.bin").size(), 5u);
}

TEST_F(ToolUsage, EvalWritesOverNoFileOfARun) {
  ASSERT_EQ(train("run").code, 0);
  folder.write("run/stdin.bin", "what the run learns from");
  for (const char* file :
       {"model.safetensors", "state.safetensors", "config.json", "metrics.jsonl", "report.html", "stdin.bin"})
    for (const std::string& model : {folder / "run", folder / "run/model.safetensors"}) {
      const std::string path = folder / ("run/" + std::string(file)), before = read_file(path);
      expect_refusal(run_tool({"eval", model, "--data", folder / "data", "--html", path}), 1, {"--html", file});
      EXPECT_EQ(read_file(path), before);
    }
  expect_refusal(
      run_tool({"eval", folder / "run", "--data", folder / "data", "--html", folder / "x", "--per-byte", folder / "./x"}), 1,
      {"same file"});
}

TEST_F(ToolUsage, EvalWritesOverNoFileThatItPrintsTo) {
  ASSERT_EQ(train("run").code, 0);
  for (const std::string& path : {std::string("/dev/stdout"), folder / "out"})
    EXPECT_EQ(status_of(std::string("'") + MEGALITH_TOOL + "' eval '" + folder / "run" + "' --data '" + folder / "data" +
                        "' --per-byte '" + path + "' > '" + folder / "out" + "' 2> '" + folder / "err" + "'"),
              1)
        << path;
  EXPECT_NE(read_file(folder / "err").find("where the command prints to"), std::string::npos);
}

}  // namespace
}  // namespace megalith::tests

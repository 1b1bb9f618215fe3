// SPDX-License-Identifier: Apache-2.0
// Samples, early ends, data from a pipe, and the report of a run.
#include <cstdlib>
#include <regex>

#include "page/html.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct ToolReport : ToolTest {
  std::string file(const std::string& name) const { return read_file(folder / name); }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
  std::string metrics(const std::string& run) const {
    return std::regex_replace(file(run + "/metrics.jsonl"), std::regex("\"(seconds|bytes_per_second)\": ?[-+.0-9e]+"), "");
  }
  void expect_same_run(const std::string& a, const std::string& b) const {
    EXPECT_TRUE(file(a + "/model.safetensors") == file(b + "/model.safetensors")) << "the weights differ";
    EXPECT_EQ(metrics(a), metrics(b));
  }
  /// Runs until that many lines of metrics are there, then Ctrl-C.
  void stopped_run(const std::vector<std::string>& options, std::ptrdiff_t lines, const std::string& input = "") const {
    Tool tool(train_options("run", options), input);
    ASSERT_TRUE(wait_until([&] {
      const std::string all = file("run/metrics.jsonl");
      return std::count(all.begin(), all.end(), '\n') >= lines;
    }));
    tool.signal(SIGINT);
    ASSERT_EQ(tool.wait().code, 130);
  }
};

const std::vector<std::string> kSamples{"--sample-every", "10", "--sample-bytes", "60", "--prompt", "line <1> "};

TEST_F(ToolReport, SamplesChangeNoBitOfTheTraining) {
  std::vector<std::string> options{"--steps", "25", "--average", "0.9", "--eval-every", "10"};
  ASSERT_EQ(train("plain", options).code, 0);
  options.insert(options.end(), kSamples.begin(), kSamples.end());
  const Outcome outcome = train("run", options);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_same_run("plain", "run");
  EXPECT_TRUE(read_file(folder / "plain/best.safetensors") == read_file(folder / "run/best.safetensors"));
  EXPECT_FALSE(exists("plain/samples.jsonl"));

  const std::string samples = file("run/samples.jsonl");
  EXPECT_EQ(std::count(samples.begin(), samples.end(), '\n'), 4) << samples;  // options, steps 10, 20 and the last
  for (const char* part : {"\"step\":10,", "\"step\":20,", "\"step\":25,", "\"prompt\":\"line <1> \""})
    EXPECT_TRUE(contains(samples, part)) << part << " in " << samples;
  EXPECT_TRUE(std::regex_search(samples, std::regex("\"hex\":\"[0-9a-f]{120}\"}\n"))) << samples;
  EXPECT_TRUE(contains(outcome.err, "step 10: a sample\nline <1> ")) << outcome.err;
  EXPECT_FALSE(contains(outcome.err, "\033")) << outcome.err;
  // The last is what the model writes that users get.
  const std::string same =
      run_tool({"generate", folder / "run", "--bytes", "60", "--prompt", "line <1> ", "--temperature", "0.8"}).out;
  std::string digits;
  for (const char byte : same) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
    digits += two;
  }
  EXPECT_TRUE(contains(samples, "\"hex\":\"" + digits + "\"}\n")) << samples;
}

TEST_F(ToolReport, AResumedRunGoesOnSampling) {
  std::vector<std::string> options{"--steps", "400"};
  options.insert(options.end(), kSamples.begin(), kSamples.end());
  ASSERT_EQ(train("whole", options).code, 0);
  stopped_run(options, 5);
  EXPECT_TRUE(contains(file("run/report.html"), "Stopped after "));
  // As a killed process leaves it: a sample that comes again, and half a line.
  folder.write("run/samples.jsonl",
               file("run/samples.jsonl") + "{\"step\":399,\"prompt\":\"\",\"text\":\"x\",\"hex\":\"78\"}\n{\"step\":40");
  ASSERT_EQ(resume("run").code, 0);
  expect_same_run("whole", "run");
  EXPECT_EQ(file("whole/samples.jsonl"), file("run/samples.jsonl"));
  ASSERT_EQ(resume("run").code, 0);
  EXPECT_EQ(file("whole/samples.jsonl"), file("run/samples.jsonl"));
}

TEST_F(ToolReport, IntervalsOfSamplesMayDiffer) {
  stopped_run({"--steps", "300", "--sample-every", "1000", "--prompt", "one"}, 2);
  ASSERT_EQ(resume("run", {"--sample-every", "100", "--sample-bytes", "5", "--prompt", "two"}).code, 0);
  const std::string samples = file("run/samples.jsonl");
  EXPECT_TRUE(contains(samples, "\"step\":300,\"prompt\":\"two\"")) << samples;
  expect_refusal(train("other", {"--steps", "5", "--sample-every", "1", "--prompt", "\xFF"}), 1, {"--prompt", "\\xff"});
}

TEST_F(ToolReport, HasASampleThatNobodyAskedFor) {
  const std::vector<std::string> options{"--steps", "300", "--seed", "7"};
  ASSERT_EQ(train("plain", options).code, 0);
  std::string report = file("plain/report.html");
  const std::string same =
      run_tool({"generate", folder / "plain", "--bytes", "300", "--temperature", "0.8", "--seed", "7"}).out;
  EXPECT_TRUE(contains(report, "</span>" + page::bytes_as_html(same) + "</pre>")) << report;
  EXPECT_TRUE(contains(report, "After step 300, 300 bytes")) << report;
  EXPECT_TRUE(contains(report, "megalith generate --temperature 0.8 --seed 7")) << report;
  EXPECT_FALSE(exists("plain/samples.jsonl"));
  ASSERT_EQ(resume("plain").code, 0);
  EXPECT_TRUE(contains(file("plain/report.html"), page::bytes_as_html(same))) << "a finished run writes the same again";

  std::vector<std::string> without = options;
  without.insert(without.end(), {"--sample-every", "0"});
  stopped_run(without, 2);
  EXPECT_FALSE(contains(file("run/report.html"), "What it writes"));
  ASSERT_EQ(resume("run").code, 0);
  EXPECT_FALSE(contains(file("run/report.html"), "What it writes")) << "a resumed run remembers that it has none";
  expect_same_run("plain", "run");
}

TEST_F(ToolReport, ComparesWithCompressorsOnce) {
  ASSERT_EQ(train("run").code, 0);
  const std::string sizes = file("run/compressors.json");
  std::smatch size;
  ASSERT_TRUE(std::regex_search(sizes, size, std::regex("\"bytes\":1000,\"gzip -9\":([0-9]+),\"xz -9e\":[0-9]+}\n$")))
      << sizes;
  const auto shown = [&](const std::string& bytes) {
    const std::string bits = std::to_string(8 * std::stod(bytes) / 1000).substr(0, 5);
    return contains(file("run/report.html"), "Dashed: gzip -9 at " + bits + " and xz -9e at ") &&
           contains(file("run/report.html"), "of the validation data (all 1,000 bytes)") &&
           contains(file("run/curve.svg"), ">gzip -9 " + bits + "</text>");
  };
  EXPECT_TRUE(shown(size[1])) << sizes << file("run/report.html");
  const auto with_size = [&](const std::string& text) {
    return std::regex_replace(sizes, std::regex("\"gzip -9\":[0-9]+"), "\"gzip -9\":" + text);
  };
  folder.write("run/compressors.json", with_size("123"));
  ASSERT_EQ(resume("run").code, 0);
  EXPECT_TRUE(shown("123")) << "what was measured is read";
  for (const std::string& damaged : {with_size("-5"), with_size("\"x\""), with_size("1.5"), sizes.substr(0, 30),
                                     std::string("[]"), std::string(), std::string("{\"data\":7}")}) {
    folder.write("run/compressors.json", damaged);
    ASSERT_EQ(resume("run").code, 0);
    EXPECT_TRUE(shown(size[1])) << damaged;
    EXPECT_EQ(file("run/compressors.json"), sizes) << damaged;
  }
}

TEST_F(ToolReport, NeedsNoCompressors) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path().c_str(), 1);
  const Outcome none = train("none");
  folder.write("gzip", "#!/bin/sh\necho nonsense >&2\nexit 3\n");  // and one that fails
  std::filesystem::permissions(folder / "gzip", std::filesystem::perms::owner_all);
  const Outcome failing = train("failing");
  setenv("PATH", path.c_str(), 1);
  for (const Outcome& outcome : {none, failing}) {
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_FALSE(contains(outcome.err, "gzip") || contains(outcome.err, "nonsense")) << outcome.err;
    EXPECT_TRUE(contains(outcome.out, "report.html")) << outcome.out;
  }
  for (const char* run : {"none/", "failing/"}) {
    EXPECT_FALSE(contains(file(run + std::string("report.html")), "Dashed")) << run;
    EXPECT_FALSE(exists(run + std::string("compressors.json"))) << run;
  }
}

TEST_F(ToolReport, PatienceEndsTheRunAndSaysSo) {
  folder.write("data/a.txt", std::string(3000, 'x'));  // what is learned here makes the validation worse
  folder.write("data/b.txt", std::string(3000, 'x'));
  const std::vector<std::string> options{"--steps", "20000", "--lr", "0.01", "--eval-every", "10", "--patience", "2"};
  const Outcome outcome = train("run", options);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::smatch end;
  ASSERT_TRUE(std::regex_search(outcome.out, end, std::regex("stopped early: no validation since step ([0-9]+) was better")))
      << outcome.out;
  EXPECT_TRUE(contains(metrics("run"), "\"step\":" + std::to_string(std::stoi(end[1]) + 20) + ","));
  EXPECT_TRUE(contains(file("run/report.html"), "had not improved since step " + end[1].str()));
  EXPECT_EQ(resume("run").out.find("stopped early"), resume("run", {"--patience", "2"}).out.find("stopped early"));
  expect_refusal(resume("run", {"--patience", "3"}), 1, {"--patience", "3", "2"});
  expect_refusal(resume("run", {"--eval-every", "5"}), 1, {"eval_every was 10 and is now 5"});
}

TEST_F(ToolReport, LearnsFromAPipe) {
  const std::string text = some_text(6000);
  const std::vector<std::string> more{"--valid-share", "0.1", "--steps", "300"};
  const auto options = [&](const std::string& data, const std::string& run) {
    std::vector<std::string> all{"train", "--data",     data,      "--model", folder / "model.json",
                                 "--out", folder / run, "--batch", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  ASSERT_EQ(run_tool(options(folder.write("text", text), "file")).code, 0);
  Tool tool(options("-", "piped"), text);
  ASSERT_TRUE(wait_until([&] { return exists("piped/metrics.jsonl") && !file("piped/metrics.jsonl").empty(); }));
  tool.signal(SIGINT);
  ASSERT_EQ(tool.wait().code, 130);
  EXPECT_EQ(file("piped/stdin.bin"), text);
  std::filesystem::rename(folder / "piped", folder / "moved");  // the data move with their run
  const Outcome resumed = resume("moved", {"--data", "-"});     // the pipe is not needed again
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resume("moved").code, 0);
  expect_same_run("file", "moved");

  expect_refusal(run_tool(options("-", "none")), 1, {"standard input is empty"});
  expect_refusal(run_tool(options("-", "none"), some_text(40)), 1, {"36", "48"});
  EXPECT_FALSE(exists("none"));
  expect_refusal(run_tool(options("-", "moved"), "other"), 1, {"holds a run already"});
  EXPECT_EQ(file("moved/stdin.bin"), text);
}

TEST_F(ToolReport, TellsOfTheRunInOneFile) {
  folder.write("data/<b> & c.txt", some_text(100));
  std::vector<std::string> options{"--steps", "25", "--eval-every", "10"};
  options.insert(options.end(), kSamples.begin(), kSamples.end());
  *std::find(options.begin(), options.end(), "line <1> ") = "<script>";
  ASSERT_EQ(train("a <run>", options).code, 0);
  const std::string report = file("a <run>/report.html"), curve = file("a <run>/curve.svg");
  for (const char* part : {"<h1>a &lt;run&gt;</h1>", "Done after 25 steps", "<svg", "role=\"img\"", "<desc", "After step 10",
                           "&lt;script&gt;", "Parameters", "Processor", "25 steps", "prefers-color-scheme",
                           "bits per byte, logarithmic", "bytes per second", "learning rate", "norm of the gradient"})
    EXPECT_TRUE(contains(report, part)) << part;
  for (const char* part : {"<script", "src=", "href=", "@import", "url(", "<run>"})
    EXPECT_FALSE(contains(report, part)) << part;
  EXPECT_EQ(curve.rfind("<svg", 0), 0u);
  EXPECT_TRUE(contains(curve, "xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_FALSE(exists("a <run>/report.html.megalith-tmp"));
}

TEST_F(ToolReport, ThatCannotBeWrittenFailsNoRun) {
  std::filesystem::create_directories(folder / "run/report.html/in the way");
  const Outcome outcome = train("run");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "no report was written")) << outcome.err;
  EXPECT_FALSE(contains(outcome.out, "report.html")) << outcome.out;
  EXPECT_TRUE(contains(outcome.out, "the run is in " + folder / "run" + "; to read from it:")) << outcome.out;
}

TEST_F(ToolReport, ASampleThatDoesNotFitIsLeftOutWhole) {
  const std::string full(2000 * 512 - 50, '\n');
  folder.write("run/samples.jsonl", full);
  const Outcome outcome =
      run_tool(train_options("run", {"--steps", "4", "--sample-every", "2"}), "", after("ulimit -f 2000"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "no sample: cannot write " + folder / "run/samples.jsonl" + ": File too large"))
      << outcome.err;
  EXPECT_TRUE(file("run/samples.jsonl") == full);
}

TEST_F(ToolReport, EditedMetricsAreNamedByLine) {
  ASSERT_EQ(train("run").code, 0);
  const std::string path = folder / "run/metrics.jsonl", whole = file("run/metrics.jsonl");
  const auto said = [&](const std::string& from, const std::string& to) {
    std::string edited = whole;
    const std::size_t at = edited.rfind(from);
    EXPECT_NE(at, edited.npos) << from;
    folder.write("run/metrics.jsonl", edited.replace(at, from.size(), to));
    const Outcome outcome = resume("run");
    EXPECT_EQ(outcome.code, 0);
    EXPECT_FALSE(contains(outcome.out, "report.html")) << outcome.out;
    return outcome.err;
  };
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& words) {
    const std::string err = said(from, to);
    EXPECT_TRUE(
        contains(err, "no report was written: " + path + " line 2" + words + "; mend that line, or move the file away"))
        << words << "\n"
        << err;
  };
  expect("\"step\":12", "\"step\":\"12\"", ": step must be a whole number, not \"12\"");
  expect("\"step\":12", "\"step\":-12", ": step must be 0 or more, not -12");
  expect("\"step\":12", "\"stop\":12", ": step is missing");
  expect("\"bytes\":1152", "\"bytes\":null", ": bytes must be a whole number, not null");
  expect("\"valid_bytes\":1000", "\"valid_bytes\":1e999", " holds a number that is too large");
  expect("{\"step\":12", "\"step\":12", " is not valid JSON at column 7");
  folder.write("run/metrics.jsonl", whole);
  EXPECT_TRUE(contains(resume("run").out, "with its learning curve in report.html"));
}

TEST_F(ToolReport, EditedSamplesAreNamedByLine) {
  std::vector<std::string> options{"--steps", "12", "--sample-every", "6", "--sample-bytes", "5"};
  ASSERT_EQ(train("run", options).code, 0);
  const std::string path = folder / "run/samples.jsonl", whole = file("run/samples.jsonl");
  const auto expect = [&](const std::string& from, const std::string& to, const std::string& words) {
    std::string edited = whole;
    ASSERT_NE(edited.find(from), edited.npos) << from;
    folder.write("run/samples.jsonl", edited.replace(edited.find(from), from.size(), to));
    expect_refusal(resume("run"), 1,
                   {path + " line " + words, "; mend that line, or move the file away to go on without it"});
    EXPECT_EQ(file("run/samples.jsonl"), edited);
  };
  expect("\"sample_every\":6", "\"sample_every\":0.5", "1: sample_every must be a whole number, not 0.5");
  expect("\"sample_bytes\":5", "\"sample_bytes\":99999999", "1: sample_bytes must be 1048576 or less, not 99999999");
  expect("\"step\":6", "\"step\":-6", "2: step must be 0 or more, not -6");
  expect("\"hex\":\"", "\"hex\":\"q0", "2: hex must be pairs of hexadecimal digits, not \"q0");
  expect("\"hex\":\"", "\"hex\":\"0", "2: hex must be pairs of hexadecimal digits");
  expect("\"hex\":\"", "\"hex\":[],\"h\":\"", "2: hex must be a string");
  expect("}\n{\"step\":12", "}\nnonsense\n{\"step\":12", "3 is not valid JSON");
  folder.write("run/samples.jsonl", whole);
  EXPECT_EQ(resume("run").code, 0);
  EXPECT_EQ(file("run/samples.jsonl"), whole);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// Pictures and sounds of models, in the pages about them.
#include <nlohmann/json.hpp>
#include <sstream>

#include "media/files.h"
#include "media/sound.h"
#include "support/base64.h"
#include "support/count.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

const std::vector<std::string> kPictures{"--steps", "12", "--scan", "patch:4x4x3:2"};

struct ToolShown : ToolTest {
  std::string report(const std::string& run) const { return read_file(folder / run + "/report.html"); }
  std::string log(const std::string& run) const { return read_file(folder / run + "/samples.jsonl"); }
  Outcome train_with(const std::string& run, std::vector<std::string> options, const std::vector<std::string>& more) const {
    options.insert(options.end(), more.begin(), more.end());
    const Outcome outcome = train(run, options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome;
  }
};

/// The bytes of the samples in a samples.jsonl, in turn.
std::vector<std::string> samples_of(const std::string& log) {
  std::istringstream in(log);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) {
    const auto fields = nlohmann::json::parse(line);
    if (!fields.contains("hex")) continue;
    const auto digits = fields["hex"].get<std::string>();
    all.emplace_back();
    for (std::size_t i = 0; i < digits.size(); i += 2)
      all.back() += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return all;
}

media::Picture picture_of(const std::string& file) { return media::read_bmp(bytes_of(file)); }

TEST_F(ToolShown, TheReportShowsPictures) {
  const Outcome begun = train_with("run", kPictures, {"--sample-every", "5", "--sample-bytes", "40"});
  EXPECT_NE(begun.err.find("step 5: a sample of 48 bytes, for report.html\n"), std::string::npos) << begun.err;
  const std::vector<std::string> drawn = samples_of(log("run")), images = embedded(report("run"), "image/bmp");
  ASSERT_EQ(drawn.size(), 3u);
  ASSERT_EQ(images.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(picture_of(images[i]).width, 4);
    EXPECT_EQ(text_of(picture_of(images[i]).pixels), drawn[i]);
  }
  for (const char* part : {"What it draws", "After step 5, 48 bytes", "alt=\"What the model draws after step 10\"",
                           "<img width=\"256\" height=\"256\" "})
    EXPECT_NE(report("run").find(part), std::string::npos) << part;
  EXPECT_EQ(count(report("run"), "<pre class=\"sample\">"), 0u);
  EXPECT_NE(begun.out.find(" generate " + folder / "run" + " --bytes 48 | "), std::string::npos) << begun.out;
  EXPECT_NE(begun.out.find(" show - --as 4x4x3 --out sheet.bmp\n"), std::string::npos) << begun.out;
}

TEST_F(ToolShown, PicturesBeginWithTheirPromptAndMayEndEarly) {
  const std::string prompt = some_text(24);
  train_with("run", kPictures, {"--sample-every", "12", "--prompt", prompt, "--sample-bytes", "20"});
  const std::vector<std::string> images = embedded(report("run"), "image/bmp");
  ASSERT_EQ(images.size(), 1u);
  EXPECT_EQ(text_of(picture_of(images[0]).pixels), prompt + samples_of(log("run")).at(0));
  EXPECT_NE(report("run").find("the first bytes are the prompt"), std::string::npos);

  const std::vector<std::string> options{"--steps", "4", "--sample-every", "4", "--sample-as", "4x6x3", "--sample-bytes"};
  train_with("rows", options, {"30"});
  const media::Picture rows = picture_of(embedded(report("rows"), "image/bmp").at(0));
  EXPECT_EQ(rows.height, 2) << "as many whole rows as are there";
  EXPECT_EQ(text_of(rows.pixels), samples_of(log("rows")).at(0).substr(0, 24));
  train_with("less", options, {"5"});
  EXPECT_NE(report("less").find("less than a row of a picture"), std::string::npos);
}

TEST_F(ToolShown, OneThatNobodyAskedFor) {
  train_with("run", kPictures, {});
  const std::string drawn = run_tool({"generate", folder / "run", "--bytes", "336", "--temperature", "0.8"}).out;
  const std::vector<std::string> images = embedded(report("run"), "image/bmp");
  ASSERT_EQ(images.size(), 1u);
  const media::Picture sheet = picture_of(images[0]);  // 300 bytes are in seven pictures: three, three and one
  EXPECT_EQ(sheet.width, 12);
  EXPECT_EQ(sheet.height, 12);
  EXPECT_EQ(text_of(sheet.pixels).substr(0, 12), drawn.substr(0, 12));
  EXPECT_EQ(text_of(sheet.pixels).substr(12, 12), drawn.substr(48, 12));

  // Grey ones in the order of rows, which no scan tells of.
  train_with("grey", {"--steps", "5", "--record", "24"}, {"--sample-as", "4x6x1"});
  EXPECT_EQ(log("grey"), "{\"sample_bytes\":24,\"prompt\":\"\",\"sample_as\":\"4x6x1\"}\n");
  const auto grey = [&] { return embedded(report("grey"), "image/bmp"); };
  ASSERT_EQ(grey().size(), 1u);
  EXPECT_EQ(picture_of(grey()[0]).height, 6);
  const std::string whole = report("grey");
  ASSERT_EQ(resume("grey").code, 0);
  EXPECT_EQ(grey(), embedded(whole, "image/bmp")) << "a resumed run remembers what it shows";
}

TEST_F(ToolShown, TheReportPlaysSound) {
  const std::vector<std::string> options{"--steps", "10", "--record", "4"};
  train_with("run", options, {"--sample-as", "s16:50:2", "--sample-every", "5"});
  EXPECT_EQ(log("run").find("{\"sample_every\":5,\"sample_bytes\":400,\"prompt\":\"\",\"sample_as\":\"s16:50:2\"}\n"), 0u)
      << log("run");  // two seconds
  const std::vector<std::string> played = samples_of(log("run")), sounds = embedded(report("run"), "audio/wav");
  ASSERT_EQ(sounds.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const media::Sound sound = media::read_wav(bytes_of(sounds[i]));
    EXPECT_EQ(text_of(sound.samples), played[i]);
    EXPECT_EQ(sound.format, (media::SoundFormat{media::kS16, 50, 2}));
  }
  EXPECT_NE(report("run").find("What it plays"), std::string::npos);

  // What is said at a resume counts; so does the length that somebody gave.
  train_with("short", options, {"--sample-as", "mulaw:100", "--sample-every", "5", "--sample-bytes", "100"});
  ASSERT_EQ(resume("short", {"--sample-as", "u8:70"}).code, 0);
  EXPECT_EQ(log("short").find("{\"sample_every\":5,\"sample_bytes\":100,\"prompt\":\"\",\"sample_as\":\"u8:70\"}\n"), 0u);
  EXPECT_EQ(media::read_wav(bytes_of(embedded(report("short"), "audio/wav").at(1))).format.rate, 70);
  train_with("alone", options, {"--sample-as", "mulaw:100"});
  EXPECT_EQ(media::read_wav(bytes_of(embedded(report("alone"), "audio/wav").at(0))).samples.size(), 200u);
}

TEST_F(ToolShown, OptionsThatAreNeither) {
  for (const char* wrong :
       {"64x64", "64x64x2", "0x4x3", "s16", "s17:8000", "s16:0", "s16:8000:", "flac:8000", "", "4x4x3:2"})
    expect_refusal(train("no", {"--steps", "2", "--sample-as", wrong}), 2,
                   {"--sample-as", "'" + std::string(wrong) + "' is neither pictures, such as 64x64x3"});
  train_with("run", kPictures, {"--sample-every", "6", "--sample-as", "4x4x3"});
  const std::string whole = log("run");
  const auto refused = [&](const std::string& to, const std::string& words) {
    std::string edited = whole;
    folder.write("run/samples.jsonl", edited.replace(edited.find("\"4x4x3\""), 7, to));
    expect_refusal(resume("run"), 1, {"samples.jsonl line 1: sample_as " + words, "; mend that line"});
  };
  refused("\"4x4\"", "must be such as 64x64x3 or s16:16000, not \"4x4\"");
  refused("7", "must be a string, not 7");
}

TEST_F(ToolShown, EvalShowsPicturesBesideTheirSurprisal) {
  train_with("run", kPictures, {});
  const std::string bytes = some_text(4 * 48), file = folder.write("x", bytes + "the end");
  const auto page = [&](const std::string& data, const std::string& input = "") {
    const Outcome found = run_tool({"eval", folder / "run", "--data", data, "--html", folder / "map.html", "--html-bytes",
                                    "150", "--per-byte", folder / "bits"},
                                   input);
    EXPECT_EQ(found.code, 0) << found.err;
    return read_file(folder / "map.html");
  };
  for (const std::string& all : {page(file), page("-", bytes)}) {
    const std::vector<std::string> images = embedded(all, "image/bmp");
    ASSERT_EQ(images.size(), 7u) << "the legend and three of the four pictures";
    std::string shown;
    for (std::size_t i = 1; i < 7; ++i) {
      const media::Picture picture = picture_of(images[i]);
      EXPECT_EQ(picture.width, 4);
      EXPECT_EQ(picture.height, 4);
      EXPECT_EQ(picture.channels, 3);
      if (i % 2 == 1) shown += text_of(picture.pixels);
    }
    EXPECT_EQ(shown, bytes.substr(0, 144)) << "in the order of the file";
    for (const char* part : {"of which the first 3 pictures of 4 × 4 pixels are shown", "over 192 bytes"})
      EXPECT_NE(all.find(part), std::string::npos) << part;
    const std::string raw = read_file(folder / "bits");
    std::vector<float> bits(raw.size() / sizeof(float));
    std::memcpy(bits.data(), raw.data(), raw.size());
    double sum = 0;
    for (std::size_t i = 48; i < 96; ++i) sum += static_cast<double>(bits[i]);
    char second[64];
    std::snprintf(second, sizeof second, "Picture 2: %.3f bits per byte", sum / 48);
    EXPECT_NE(all.find(second), std::string::npos) << second;
  }
}

}  // namespace
}  // namespace megalith::tests

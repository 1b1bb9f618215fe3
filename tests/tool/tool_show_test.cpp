// SPDX-License-Identifier: Apache-2.0
// Sheets of pictures, and sounds, of raw bytes.
#include "media/files.h"
#include "media/picture.h"
#include "media/sound.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;

struct ToolShow : ::testing::Test {
  const TemporaryFolder folder;
  const std::string bytes = "abcdefghijklmnopqrstuvwx";
  const std::string file = folder.write("bytes", bytes);

  Outcome show(const std::string& as, const std::string& out, const Arguments& more = {},
               const std::string& from = "") const {
    Arguments all{"show", from.empty() ? file : from, "--as", as, "--out", folder / out};
    all.insert(all.end(), more.begin(), more.end());
    return run_tool(all);
  }
  void expect_refused(const std::string& as, const std::string& out, const Arguments& words, const Arguments& more = {},
                      int code = 1) const {
    expect_refusal(show(as, out, more), code, words);
    EXPECT_FALSE(std::filesystem::exists(folder / out));
  }
};

TEST_F(ToolShow, ASheetOfPictures) {
  const Outcome outcome = show("1x2x3", "sheet.ppm");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, folder / "sheet.ppm: 4 of 4 pictures, 3 in a row\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(read_file(folder / "sheet.ppm"),
            "P6\n3 4\n255\nabcghimnodefjklpqrstu" + std::string(6, '\0') + "vwx" + std::string(6, '\0'));
  EXPECT_EQ(show("2x2x1", "sheet.pgm", {"--columns", "3"}).code, 0);
  EXPECT_EQ(read_file(folder / "sheet.pgm"), "P5\n6 4\n255\nabefijcdghklmnqruvopstwx");
  EXPECT_EQ(show("2x1x3", "sheet.ppm", {"--columns", "1", "--first", "1", "--count", "2"}).out,
            folder / "sheet.ppm: 2 of 4 pictures, 1 in a row\n");
  EXPECT_EQ(read_file(folder / "sheet.ppm"), "P6\n2 2\n255\nghijklmnopqr");
}

TEST_F(ToolShow, Bmp) {
  ASSERT_EQ(show("2x2x3", "sheet.bmp").code, 0);
  const media::Picture sheet = media::read_bmp(bytes_of(read_file(folder / "sheet.bmp")));
  EXPECT_EQ(sheet.width, 2);
  EXPECT_EQ(sheet.height, 4);
  EXPECT_EQ(text_of(sheet.pixels), bytes);
}

TEST_F(ToolShow, WhatIsNoWholePictureIsSaid) {
  const Outcome outcome = show("5x1x1", "sheet.pgm", {"--columns", "2", "--count", "3"});
  EXPECT_EQ(outcome.out, folder / "sheet.pgm: 3 of 4 pictures, 2 in a row\n");
  EXPECT_EQ(outcome.err, "megalith: note: the last 4 bytes are not a whole picture, and left out\n");
  expect_refused("5x5x1", "no.ppm", {file + " has 24 bytes, which are 0 pictures of 25 bytes; give a smaller --as"});
  expect_refused("2x2x3", "no.ppm", {"which are 2 pictures of 12 bytes; give a smaller --first"}, {"--first", "2"});
}

TEST_F(ToolShow, ManyPicturesAreShownInPart) {
  folder.write("many", std::string(2000, 'x'));
  EXPECT_EQ(show("1x1x1", "sheet.pgm", {}, folder / "many").out,
            folder / "sheet.pgm: 1,024 of 2,000 pictures, 32 in a row\n");
  EXPECT_EQ(show("1x1x1", "sheet.pgm", {"--count", "2000"}, folder / "many").out,
            folder / "sheet.pgm: 2,000 of 2,000 pictures, 45 in a row\n");
}

TEST_F(ToolShow, Sound) {
  const Outcome outcome = show("s16:6:2", "x.wav");
  EXPECT_EQ(outcome.out, folder / "x.wav: 1.0 seconds, s16 at 6 Hz, 2 channels\n");
  EXPECT_EQ(outcome.err, "");
  for (const media::SampleKind& kind : media::kSampleKinds) {
    ASSERT_EQ(show(std::string(kind.name) + ":8000", "x.wav").code, 0);
    const media::Sound sound = media::read_wav(bytes_of(read_file(folder / "x.wav")));
    EXPECT_EQ(sound.format, (media::SoundFormat{kind, 8000, 1}));
    EXPECT_EQ(text_of(sound.samples), bytes);
    EXPECT_EQ(sound.note, "");
  }
  EXPECT_EQ(show("u8:8000:5", "x.wav").err, "megalith: note: the last 4 bytes are not a whole frame, and left out\n");
  const std::string odd = read_file(folder / "x.wav");
  EXPECT_EQ(odd, text_of(media::to_wav({media::kU8, 8000, 5}, bytes_of(bytes.substr(0, 20)))));
  ASSERT_EQ(show("u8:8000", "x.wav", {}, folder.write("odd", "abc")).code, 0);
  EXPECT_EQ(read_file(folder / "x.wav"), text_of(media::to_wav({media::kU8, 8000, 1}, bytes_of("abc"))));
}

TEST_F(ToolShow, FromAPipe) {
  const Outcome outcome = run_tool({"show", "-", "--as", "2x1x3", "--out", folder / "x.ppm"}, "abcdef");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_file(folder / "x.ppm"), "P6\n2 1\n255\nabcdef");
  expect_refusal(run_tool({"show", "-", "--as", "2x1x3", "--out", folder / "y.ppm"}), 1, {"- has 0 bytes"});
}

TEST_F(ToolShow, WhatRawMadeComesBack) {
  const std::string picture = text_of(media::to_bmp({.width = 4, .height = 2, .pixels = {bytes.begin(), bytes.end()}})),
                    sound = text_of(media::to_wav({media::kS24, 44100, 2}, bytes_of(bytes)));
  ASSERT_EQ(run_tool({"raw", folder.write("a.bmp", picture), "--out", folder / "raw"}).code, 0);
  ASSERT_EQ(show("4x2x3", "b.bmp", {}, folder / "raw").code, 0);
  EXPECT_EQ(read_file(folder / "b.bmp"), picture);
  ASSERT_EQ(run_tool({"raw", folder.write("a.wav", sound), "--out", folder / "raw"}).code, 0);
  ASSERT_EQ(show("s24:44100:2", "b.wav", {}, folder / "raw").code, 0);
  EXPECT_EQ(read_file(folder / "b.wav"), sound);
}

TEST_F(ToolShow, Refusals) {
  for (const char* as :
       {"", "64x64", "64x64x2", "64x64x3x1", "0x1x3", "1x1x3x", "s16", "s16:", "s16:0", "s16:x", "s16:8000:0",
        "s16:8000:", "s16:8000:2:1", "s17:8000", ":8000", "s16:8000x2", "s16:99999999999", "s16:8000:257"})
    expect_refused(as, "no.ppm", {"--as: "}, {}, 2);
  expect_refused("2x2x3", "no.png", {"pictures are written as .bmp, .ppm or .pgm"});
  expect_refused("2x2x3", "no.pgm", {".pgm is for grey pictures"});
  expect_refused("2x2x3", "no.wav", {"pictures are written as"});
  expect_refused("s16:8000", "no.ppm", {"sound is written as .wav"});
  expect_refused("s16:8000", "no.wav", {"--columns, --first and --count are for pictures, and --as s16:8000 is sound"},
                 {"--count", "1"});
  expect_refused("f64:8000:4", "no.wav", {"has 24 bytes, and a frame of f64 at 8000 Hz, 4 channels has 32"});
  expect_refused("9999999x9999999x3", "no.bmp", {"has 24 bytes"});
  expect_refused("2x2x3", "no.bmp", {"'0' is not a whole number"}, {"--count", "0"}, 2);
  const std::string own = folder.write("own.ppm", bytes);
  expect_refusal(run_tool({"show", own, "--as", "2x2x3", "--out", own}), 1, {"would overwrite " + own});
  expect_refusal(run_tool({"show", folder / "nothing", "--as", "2x2x3", "--out", own}), 1, {"nothing"});
  EXPECT_EQ(read_file(own), bytes);
}

}  // namespace
}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// Raw bytes of pictures and sounds.
#include "media/files.h"
#include "media/mu_law.h"
#include "tool_fixture.h"

namespace megalith::tests {
namespace {

using Arguments = std::vector<std::string>;

struct ToolRaw : ::testing::Test {
  const TemporaryFolder folder;

  Outcome raw(Arguments more) const {
    more.insert(more.begin(), {"raw", "--out", folder / "out.bin"});
    return run_tool(more);
  }
  /// The bytes that it makes, after the words that it says.
  void expect_bytes(const Arguments& arguments, const std::string& bytes, const std::string& last_line) const {
    const Outcome outcome = raw(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(read_file(folder / "out.bin"), bytes);
    EXPECT_TRUE(outcome.out.ends_with("\n" + last_line + "\n")) << outcome.out;
    std::filesystem::remove(folder / "out.bin");
  }
  /// Nothing is left of what failed.
  void expect_refused(const Arguments& arguments, const Arguments& words, int code = 1) const {
    expect_refusal(raw(arguments), code, words);
    EXPECT_FALSE(std::filesystem::exists(folder / "out.bin"));
    EXPECT_FALSE(std::filesystem::exists(folder / "out.bin.megalith-tmp"));
  }
};

std::string ppm(int width, int height, const std::string& pixels) {
  return "P6 " + std::to_string(width) + " " + std::to_string(height) + " 255\n" + pixels;
}
std::string wav(const std::string& samples, int rate = 16000, int channels = 1, int tag = 1, int bits = 16) {
  return riff(wav_format(tag, channels, rate, bits) + chunk("data", samples));
}

TEST_F(ToolRaw, PicturesInTheOrderOfTheirPaths) {
  folder.write("in/b.ppm", ppm(2, 2, "bbbbbbbbbbbb"));
  folder.write("in/B.ppm", ppm(2, 2, "BBBBBBBBBBBB"));
  folder.write("in/a/x.ppm", ppm(2, 2, "aaaaaaaaaaaa"));
  folder.write("c.ppm", ppm(2, 2, "cccccccccccc"));
  expect_bytes({folder / "c.ppm", folder / "in"}, "ccccccccccccBBBBBBBBBBBBaaaaaaaaaaaabbbbbbbbbbbb",
               "4 pictures of 2 x 2 x 3: train with --record 12 --length 12 --scan patch:2x2x3:2");
  expect_bytes({folder / "in", "--exclude", "a/", "--include", "b*"}, "bbbbbbbbbbbb",
               "1 picture of 2 x 2 x 3: train with --record 12 --length 12 --scan patch:2x2x3:2");
  const Outcome outcome = raw({folder / "in"});
  EXPECT_TRUE(outcome.out.starts_with("to look at them: megalith show " + folder / "out.bin --as 2x2x3 --out sheet.bmp\n"))
      << outcome.out;
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ToolRaw, TilesThatDivideThePicture) {
  const auto line = [&](int width, int height, const std::string& options) {
    const std::string pixels(static_cast<std::size_t>(3 * width * height), 'x');
    const std::string shape = std::to_string(width) + " x " + std::to_string(height) + " x 3";
    expect_bytes({folder.write("a.ppm", ppm(width, height, pixels))}, pixels,
                 "1 picture of " + shape + ": train with --record " + std::to_string(pixels.size()) + " --length " +
                     std::to_string(pixels.size()) + options);
  };
  line(32, 64, " --scan patch:32x64x3:2");
  const std::string grey(64 * 64, 'x');
  expect_bytes({folder.write("grey.pgm", "P5 64 64 255\n" + grey)}, grey,
               "1 picture of 64 x 64 x 1: train with --record 4096 --length 4096 --scan patch:64x64x1:2");
  line(256, 256, " --scan patch:256x256x3:8");
  line(640, 640, " --scan patch:640x640x3:8");
  line(68, 68, " --scan patch:68x68x3:4");
  line(66, 66, " --scan patch:66x66x3:2");
  line(3, 64, " --sample-as 3x64x3");
  for (const int side : {32, 64}) {
    const std::string pixels(static_cast<std::size_t>(3 * side * side), 'x'), n = std::to_string(side);
    expect_bytes({folder.write("a.ppm", ppm(side, side, pixels))}, pixels,
                 "1 picture of " + n + " x " + n + " x 3: train with --model megabyte-image" + n);
  }
}

TEST_F(ToolRaw, SizesAndChannelsThatDiffer) {
  const std::string a = folder.write("a.ppm", ppm(2, 2, "abcdefghijkl")), b = folder.write("b.ppm", ppm(2, 1, "ABCDEF")),
                    grey = folder.write("grey.pgm", "P5 2 2 255\n1234");
  expect_refused({a, b}, {b + " has 2 x 1 pixels, and " + a + " 2 x 2: give --size WxH"});
  expect_refused({a, grey}, {grey + " is grey, and " + a + " in colour: give --grey or --rgb"});
  expect_bytes({a, b, "--size", "1x1", "--fit", "crop"}, "abcABC",
               "2 pictures of 1 x 1 x 3: train with --record 3 --length 3 --sample-as 1x1x3");
  expect_bytes({a, b, "--size", "1x1"}, "fghABC",
               "2 pictures of 1 x 1 x 3: train with --record 3 --length 3 --sample-as 1x1x3");
  expect_bytes({a, b, "--size", "1x1", "--fit", "tile"}, "abcdefghijklABCDEF",
               "6 pictures of 1 x 1 x 3: train with --record 3 --length 3 --sample-as 1x1x3");
  expect_bytes({a, grey, "--rgb"}, "abcdefghijkl111222333444",
               "2 pictures of 2 x 2 x 3: train with --record 12 --length 12 --scan patch:2x2x3:2");
  expect_bytes({grey, a, "--grey"}, "1234behk",
               "2 pictures of 2 x 2 x 1: train with --record 4 --length 4 --scan patch:2x2x1:2");
  expect_refused({a, b, "--size", "2x2"}, {b + " is a picture of 2 x 1 pixels, too small for 2 x 2", "--exclude"});
}

TEST_F(ToolRaw, WhatIsLeftOutOfPicturesIsSaid) {
  folder.write("in/a.ppm", "P6 1 1 65535\na1b2c3");
  folder.write("in/b.ppm", "P6 1 1 65535\nd4e5f6");
  folder.write("in/c.ppm", ppm(1, 1, "ghi"));
  const Outcome outcome = raw({folder / "in"});
  EXPECT_EQ(outcome.err,
            "megalith: note: " + folder / "in/a.ppm and 1 more have 16 bits a channel: the high bytes are taken\n");
  EXPECT_EQ(read_file(folder / "out.bin"), "abcdefghi");
  const Outcome large = raw({folder.write("large.ppm", ppm(300, 300, std::string(270000, 'x')))});
  EXPECT_NE(large.err.find("has 270,000 bytes, which is long for a window on CPUs: --size 64x64"), std::string::npos)
      << large.err;
}

TEST_F(ToolRaw, PngWhereItIsRead) {
  const std::string png = folder.write("a.png", PngFile{.width = 2, .colour = kPngRgba, .rows = {"abc1def2"}}.whole());
  const Outcome outcome = raw({png});
  if (outcome.code == 0) {
    EXPECT_EQ(read_file(folder / "out.bin"), "abcdef");
    EXPECT_EQ(outcome.err, "megalith: note: " + png + " tells how transparent its pixels are: that is left out, and the " +
                               "colours stay as they are\n");
  } else {
    expect_refused({png}, {png + " is a PNG, and this megalith was built without libpng", "libpng-dev"});
  }
}

TEST_F(ToolRaw, Sounds) {
  const std::string a = folder.write("a.wav", wav("abcd")), b = folder.write("b.wav", wav("ABCDEFGH")),
                    stereo = folder.write("stereo.wav", wav(low_first(1, 2) + low_first(3, 2), 16000, 2)),
                    slow = folder.write("slow.wav", wav("abcd", 8000)),
                    mu_law = folder.write("mu_law.wav", wav("xyz", 16000, 1, 7, 8)),
                    wide = folder.write("wide.wav", wav("abcdef", 16000, 2, 1, 24));
  expect_bytes({b, a}, "ABCDEFGHabcd",
               "2 sounds of 0.0 seconds in all, s16 at 16000 Hz, 1 channel, frames of 2 bytes: train with --record 2 "
               "--sample-as s16:16000");
  expect_bytes({wide}, "abcdef",
               "1 sound of 0.0 seconds in all, s24 at 16000 Hz, 2 channels, frames of 6 bytes: train with --record 6 "
               "--length 1536 --sample-as s24:16000:2");
  EXPECT_TRUE(raw({wide}).out.starts_with("to hear them: megalith show " + folder / "out.bin --as s24:16000:2 --out "));
  EXPECT_TRUE(raw({a}).out.starts_with("to hear them: megalith show " + folder / "out.bin --as s16:16000 --out "));
  std::filesystem::remove(folder / "out.bin");
  expect_refused({a, slow}, {slow + " has 8000 frames a second, and " + a + " 16000", "sox IN.wav -r 16000 OUT.wav"});
  expect_refused({a, stereo}, {stereo + " has 2 channels, and " + a + " 1: give --mono"});
  expect_refused({a, mu_law}, {mu_law + " has samples of the kind mulaw, and " + a + " s16", "--mu-law"});
  expect_bytes({a, stereo, "--mono"}, "abcd" + low_first(2, 2),
               "2 sounds of 0.0 seconds in all, s16 at 16000 Hz, 1 channel, frames of 2 bytes: train with --record 2 "
               "--sample-as s16:16000");
  const std::string loud{static_cast<char>(media::to_mu_law('a' + 256 * 'b')),
                         static_cast<char>(media::to_mu_law('c' + 256 * 'd'))};
  expect_bytes({a, mu_law, "--mu-law"}, loud + "xyz",
               "2 sounds of 0.0 seconds in all, mulaw at 16000 Hz, 1 channel, frames of 1 byte: train with --record 1 "
               "--sample-as mulaw:16000");
  expect_bytes({slow, "--mu-law"}, loud,
               "1 sound of 0.0 seconds in all, mulaw at 8000 Hz, 1 channel, frames of 1 byte: train with "
               "--model megabyte-audio --sample-as mulaw:8000");
  expect_refused({wide, "--mu-law"},
                 {wide + " has samples of the kind s24, and mu-law is made of 16 bits; convert it: sox"});
}

TEST_F(ToolRaw, SoundsThatEndEarly) {
  const std::string whole = wav("abcdefgh");
  folder.write("in/a.wav", whole.substr(0, whole.size() - 3));
  folder.write("in/b.wav", whole.substr(0, whole.size() - 4));
  const Outcome outcome = raw({folder / "in"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "megalith: note: " + folder /
                                                  "in/a.wav is cut short: 5 of 8 bytes of samples are there; 1 more do "
                                                  "not end as they should\n");
  EXPECT_EQ(read_file(folder / "out.bin"), "abcdabcd");
}

TEST_F(ToolRaw, WhatItDoesNotRead) {
  const std::string picture = folder.write("a.ppm", ppm(1, 1, "abc")), sound = folder.write("a.wav", wav("abcd"));
  const auto refused = [&](const std::string& name, const std::string& content, const Arguments& words) {
    const std::string path = folder.write(name, content);
    Arguments all = words;
    all.push_back(path + " is ");
    expect_refused({path}, all);
    expect_refused({picture, path}, all);
  };
  refused("a.txt", "a text", {"not a picture or a sound that is known here", "--exclude"});
  refused("a.flac", "fLaC", {"FLAC, which is not read", "sox IN.flac OUT.wav"});
  refused("a.aiff", "FORM1234AIFF", {"AIFF, which is not read", "sox IN.aiff OUT.wav"});
  refused("a.au", ".snd", {"AU, which is not read", "sox IN.au OUT.wav"});
  refused("a.mp3", "ID3\x04", {"MP3, which is not read", "ffmpeg -i IN.mp3 OUT.wav"});
  refused("a.ogg", "OggS", {"Ogg, which is not read", "ffmpeg -i IN.ogg OUT.wav"});
  refused("a.gif", "GIF89a", {"GIF, which is not read", "convert IN.gif OUT.png"});
  refused("a.webp", "RIFF1234WEBP", {"WebP, which is not read", "dwebp IN.webp -o OUT.png"});
  refused("a.zip", "PK\x03\x04", {"zip, which is not read", "unzip IN.zip"});
  expect_refused({folder.write("ima.wav", wav("abcd", 8000, 1, 0x11, 4))}, {"ima.wav is a WAV of IMA ADPCM", "sox IN.wav"});
  expect_refused({picture, sound},
                 {sound + " is WAV, and " + picture + " PPM: pictures and sounds do not go into one file"});
  expect_refused({folder / "nothing"}, {"nothing"});
}

TEST_F(ToolRaw, AHeaderThatClaims30Gigabytes) {
  expect_refused({folder.write("a.ppm", "P6 100000 100000 255\nabc")}, {"a.ppm claims to be a picture of 100000 x 100000"});
  const std::string sparse = folder.write("b.wav", wav("abcd"));
  std::filesystem::resize_file(sparse, std::uintmax_t{1} << 42);
  expect_refused({sparse}, {sparse + " has 4,398,046,511,104 bytes, for which there is not enough memory"});
}

TEST_F(ToolRaw, OptionsThatDoNotFit) {
  const std::string picture = folder.write("a.ppm", ppm(1, 1, "abc")), sound = folder.write("a.wav", wav("abcd"));
  expect_refused({picture, "--mono"}, {picture + " is a picture: --mono and --mu-law are for sounds"});
  expect_refused({picture, "--mu-law"}, {"for sounds"});
  for (const Arguments& of_pictures : {Arguments{"--grey"}, {"--rgb"}, {"--size", "1x1"}}) {
    Arguments all{sound};
    all.insert(all.end(), of_pictures.begin(), of_pictures.end());
    expect_refused(all, {sound + " is a sound: --size, --grey and --rgb are for pictures"});
  }
  for (const char* size : {"3", "3x", "0x3", "3x3x3", "x3", "-3x3", "3X3", "3x99999999999"})
    expect_refused({picture, "--size", size}, {"--size: '" + std::string(size) + "' is not a width and a height"}, 2);
  expect_refused({picture, "--fit", "crop"}, {"--fit is given without --size WxH"}, 2);
  expect_refused({picture, "--size", "1x1", "--fit", "cut"}, {"'cut' is neither crop nor tile nor shrink"}, 2);
  expect_refused({picture, "--grey", "--rgb"}, {"exclude each other"}, 2);
  expect_refused({}, {"the input is missing; give PATH"}, 2);
  expect_refusal(run_tool({"raw", picture, "--out", picture}), 1, {"would overwrite " + picture});
  expect_refusal(run_tool({"raw", picture, "--out", folder / "no/where"}), 1, {"no/where"});
}

}  // namespace
}  // namespace megalith::tests

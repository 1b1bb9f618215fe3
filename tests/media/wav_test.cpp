// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "files.h"
#include "media/sound.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using namespace std::string_literals;
using tests::bytes_of, tests::chunk, tests::extension, tests::high_first, tests::low_first, tests::riff, tests::text_of,
    tests::wav_format;

Sound read(const std::string& file) { return read_wav(bytes_of(file)); }
std::string samples(const std::string& file) { return text_of(read(file).samples); }
const std::string kS16Mono = wav_format(1, 1, 16000, 16);

TEST(Wav, EveryKindOfSamples) {
  const std::string data(144, 'x');
  for (const SampleKind& kind : kSampleKinds)
    for (const int channels : {1, 2, 3}) {
      const Sound sound = read(riff(wav_format(kind.wave, channels, 44100, 8 * kind.bytes) + chunk("data", data)));
      EXPECT_EQ(sound.format, (SoundFormat{kind, 44100, channels})) << kind.name;
      EXPECT_EQ(sound.format.frame_bytes(), kind.bytes * channels);
      EXPECT_EQ(text_of(sound.samples), data);
      EXPECT_EQ(sound.note, "");
    }
  EXPECT_EQ(in_words({kS16, 16000, 1}), "s16 at 16000 Hz, 1 channel");
  EXPECT_EQ(in_words({kMuLaw, 8000, 2}), "mulaw at 8000 Hz, 2 channels");
}

TEST(Wav, LongerFormats) {
  const std::string data = chunk("data", "abcdefabcdef");
  EXPECT_EQ(read(riff(wav_format(1, 1, 8000, 16, low_first(0, 2)) + data)).format.kind, kS16);
  const Sound sound = read(riff(wav_format(0xFFFE, 2, 48000, 24, extension(1, 24)) + data));
  EXPECT_EQ(sound.format, (SoundFormat{kS24, 48000, 2}));
  EXPECT_EQ(read(riff(wav_format(0xFFFE, 1, 8000, 32, extension(3, 32)) + data)).format.kind, kF32);
  EXPECT_EQ(read(riff(wav_format(0xFFFE, 1, 8000, 16, extension(1, 12)) + data)).format.kind, kS16) << "12 bits in 16";
  EXPECT_ERROR(read(riff(wav_format(0xFFFE, 1, 8000, 16, extension(2, 4)) + data)), "MS ADPCM");
  EXPECT_ERROR(read(riff(wav_format(0xFFFE, 1, 8000, 16) + data)), "ends inside its header");
}

TEST(Wav, OtherChunksAreSkipped) {
  const std::string data = chunk("data", "abcd"), list = chunk("LIST", "INFOISFT\4\0\0\0data"s);
  EXPECT_EQ(samples(riff(chunk("bext", std::string(603, 'b')) + kS16Mono + list + chunk("fact", "1234") + data)), "abcd");
  EXPECT_EQ(samples(riff(kS16Mono + data + list)), "abcd") << "what stands behind is no sound";
  EXPECT_EQ(samples(riff(kS16Mono + chunk("odd ", "12345") + data)), "abcd");
  EXPECT_EQ(samples(riff(kS16Mono + "odd \5\0\0\0"s + "12345" + data)), "abcd") << "a program that knows of no odd sizes";
  EXPECT_EQ(samples(riff(wav_format(1, 1, 8000, 8) + chunk("data", "abc") + list)), "abc") << "nor is the byte of padding";
}

TEST(Wav, SizesThatAPipeDidNotKnow) {
  for (const std::uint32_t size : {0xFFFFFFFFu, 0x7FFFF000u, 0x80000000u, 0u}) {
    const Sound sound = read("RIFF" + low_first(size, 4) + "WAVE" + kS16Mono + "data" + low_first(size, 4) + "abcdefgh");
    EXPECT_EQ(text_of(sound.samples), "abcdefgh") << size;
    EXPECT_EQ(sound.note, "");
  }
  EXPECT_EQ(samples(riff(kS16Mono + chunk("data", "") + chunk("LIST", "12345"))), "") << "no sound, and a chunk behind";
  EXPECT_EQ(samples(riff(kS16Mono + chunk("data", ""))), "");
  EXPECT_EQ(samples(riff(kS16Mono + "data" + low_first(0, 4) + "LIST" + low_first(99, 4) + "1234")),
            "LIST\x63\0\0\0001234"s);
}

TEST(Wav, WhatIsCutShortIsTakenWithAWord) {
  const std::string whole = riff(kS16Mono + chunk("data", "abcdefgh"));
  const Sound sound = read(whole.substr(0, whole.size() - 3));
  EXPECT_EQ(text_of(sound.samples), "abcd");
  EXPECT_EQ(sound.note, "is cut short: 5 of 8 bytes of samples are there");
  const Sound odd = read(riff(kS16Mono + chunk("data", "abcde")));
  EXPECT_EQ(text_of(odd.samples), "abcd");
  EXPECT_EQ(odd.note, "ends inside a frame, 1 bytes of which are left out");
  for (std::size_t size = 0; size < whole.size() - 8; ++size) EXPECT_THROW(read(whole.substr(0, size)), Error) << size;
}

TEST(Wav, TurnedRound) {
  const std::string format = high_first(1, 2) + high_first(2, 2) + high_first(8000, 4) + high_first(48000, 4) +
                             high_first(6, 2) + high_first(24, 2);
  const Sound sound =
      read("RIFX" + high_first(60, 4) + "WAVEfmt " + high_first(16, 4) + format + "data" + high_first(6, 4) + "abcdef");
  EXPECT_EQ(sound.format, (SoundFormat{kS24, 8000, 2}));
  EXPECT_EQ(text_of(sound.samples), "cbafed");
}

TEST(Wav, OtherCodingsAreNamed) {
  const auto refused = [](int tag, const std::string& words) {
    EXPECT_ERROR(read(riff(wav_format(tag, 1, 8000, 4) + chunk("data", "abcd"))), words);
  };
  refused(0x0002, "is a WAV of MS ADPCM, which is not decoded; convert it: sox IN.wav -e signed-integer -b 16 OUT.wav");
  refused(0x0011, "IMA ADPCM");
  refused(0x0031, "GSM 6.10");
  refused(0x0055, "is a WAV of MP3, which is not decoded; convert it: ffmpeg -i IN.wav");
  refused(0x1234, "a WAV of format 4660, which is not known");
}

TEST(Wav, HostileFiles) {
  const auto refused = [](const std::string& chunks, const std::string& words) { EXPECT_ERROR(read(riff(chunks)), words); };
  const std::string data = chunk("data", "abcd");
  refused(data, "samples before it tells what they are");
  refused(kS16Mono, "no samples");
  refused("", "no samples");
  refused(kS16Mono + "LIST" + low_first(0xFFFFFFFF, 4) + data, "ends inside its header");
  refused(chunk("fmt ", "short"), "ends inside its header");
  refused(wav_format(1, 0, 8000, 16) + data, "0 channels");
  refused(wav_format(1, 257, 8000, 16) + data, "257 channels, more than the 256");
  refused(wav_format(1, 1, 0, 16) + data, "0 frames a second");
  refused(wav_format(1, 1, 8000, 0) + data, "0 bits a sample");
  refused(wav_format(1, 1, 8000, 64) + data, "samples of 8 bytes, which is not read");
  refused(wav_format(7, 1, 8000, 16) + data, "samples of 2 bytes");
  std::string frame = wav_format(1, 2, 8000, 16);
  frame[20] = 3;
  refused(frame + data, "16 bits a sample and frames of 3 bytes");
  EXPECT_EQ(read(riff(wav_format(6, 255, 8000, 8) + data)).samples.size(), 0u) << "frames that are larger than the file";
  EXPECT_ERROR(read("RF64" + riff(kS16Mono + data).substr(4)), "a WAV of more than 4 GB (RF64)");
}

TEST(Wav, WhatIsWrittenComesBack) {
  for (const SampleKind& kind : kSampleKinds)
    for (const int channels : {1, 3}) {
      const SoundFormat format{kind, 22050, channels};
      const std::string data(static_cast<std::size_t>(3 * format.frame_bytes()), 'x');
      const std::vector<std::uint8_t> file = to_wav(format, bytes_of(data));
      EXPECT_EQ(file.size() % 2, 0u);
      EXPECT_EQ(text_of(file).substr(4, 4), low_first(file.size() - 8, 4));
      const Sound sound = read_wav(file);
      EXPECT_EQ(sound.format, format) << kind.name;
      EXPECT_EQ(text_of(sound.samples), data);
      EXPECT_EQ(sound.note, "");
    }
  EXPECT_ERROR(wav_header({kS16, 8000, 1}, std::int64_t{1} << 32), "larger than the 4 GB");
}

TEST(Wav, TheFileItself) {
  EXPECT_EQ(text_of(to_wav({kS16, 16000, 1}, bytes_of("abcd"))), riff(kS16Mono + chunk("data", "abcd")));
  EXPECT_EQ(text_of(to_wav({kMuLaw, 8000, 1}, bytes_of("abc"))),
            riff(wav_format(7, 1, 8000, 8, low_first(0, 2)) + chunk("fact", low_first(3, 4)) + chunk("data", "abc")));
}

}  // namespace
}  // namespace megalith::media

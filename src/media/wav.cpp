// SPDX-License-Identifier: Apache-2.0
// WAV: chunks with a name and a size, of which "fmt " tells what the samples in "data" are.
// Multimedia Programming Interface and Data Specifications 1.0, IBM and Microsoft 1991; the same, New Multimedia Data Types,
// 1994.
#include <algorithm>
#include <bit>

#include "byte_writer.h"
#include "sound.h"

namespace megalith::media {
namespace {

constexpr std::uint16_t kExtensible = 0xFFFE;
/// What programs write that do not know how much comes: 0, or this and more.
constexpr std::uint32_t kUnknownSize = 0x7FFF0000;

/// Codings that are known by name, and not read.
struct Coding {
  std::uint16_t wave;
  std::string_view name, command;
};
constexpr std::string_view kSox = "sox IN.wav -e signed-integer -b 16 OUT.wav",
                           kFfmpeg = "ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav";
constexpr std::array kCodings{Coding{0x0002, "MS ADPCM", kSox}, Coding{0x0011, "IMA ADPCM", kSox},
                              Coding{0x0031, "GSM 6.10", kSox}, Coding{0x0050, "MPEG audio", kFfmpeg},
                              Coding{0x0055, "MP3", kFfmpeg},   Coding{0x00FF, "AAC", kFfmpeg},
                              Coding{0x0161, "WMA", kFfmpeg},   Coding{0xF1AC, "FLAC", kFfmpeg}};

void refuse_coding(std::uint16_t wave) {
  for (const Coding& coding : kCodings)
    check(coding.wave != wave, "is a WAV of ", coding.name, ", which is not decoded; convert it: ", coding.command);
  throw Error(text("is a WAV of format ", wave, ", which is not known; convert it: ", kFfmpeg));
}

SoundFormat read_format(ByteReader chunk) {
  auto wave = chunk.number<std::uint16_t>();
  SoundFormat format;
  format.channels = chunk.number<std::uint16_t>();
  format.rate = chunk.number<std::uint32_t>();
  chunk.take(4);  // bytes a second
  const int frame = chunk.number<std::uint16_t>(), bits = chunk.number<std::uint16_t>();
  if (wave == kExtensible) {
    chunk.take(8);                         // its own size, which bits count, which loudspeaker is which
    wave = chunk.number<std::uint16_t>();  // the first bytes of a GUID
  }
  if (wave != 1 && wave != 3 && wave != 6 && wave != 7) refuse_coding(wave);
  check(format.channels >= 1 && format.rate >= 1, "claims ", format.channels, " channels and ", format.rate,
        " frames a second: it is damaged");
  check(format.channels <= kMaxChannels, "has ", format.channels, " channels, more than the ", kMaxChannels,
        " that are read; take fewer of them: sox IN.wav OUT.wav remix 1-", kMaxChannels);
  check(frame > 0 && frame % format.channels == 0 && frame / format.channels * 8 >= bits && bits >= 1, "claims ", bits,
        " bits a sample and frames of ", frame, " bytes: it is damaged");
  const int bytes = frame / format.channels;
  for (const SampleKind& kind : kSampleKinds)
    if (kind.wave == wave && kind.bytes == bytes) {
      format.kind = kind;
      return format;
    }
  throw Error(text("is a WAV with samples of ", bytes, " bytes, which is not read; convert it: ", kSox));
}

/// Whether bytes are chunks up to their end.
bool are_chunks(ByteReader rest) {
  while (rest.left().size() >= 8) {
    const Bytes name = rest.take(4);
    const auto size = rest.number<std::uint32_t>();
    if (!std::all_of(name.begin(), name.end(), [](auto c) { return c >= ' ' && c <= '~'; })) return false;
    if (size > rest.left().size()) return false;
    rest.take(std::min<std::size_t>(rest.left().size(), size + size % 2));
  }
  return rest.left().size() <= 1;
}

/// The samples of a "data" chunk, its size read already.
Bytes samples_of(std::uint32_t size, const ByteReader& rest, std::string& note) {
  const Bytes left = rest.left();
  if (size <= left.size() && (size > 0 || are_chunks(rest))) return left.first(size);
  if (size > 0 && size < kUnknownSize)
    note = text("is cut short: ", left.size(), " of ", size, " bytes of samples are there");
  return left;
}

void reverse_samples(int bytes, std::vector<std::uint8_t>& samples) {
  for (auto at = samples.begin(); at != samples.end(); at += bytes) std::reverse(at, at + bytes);
}

}  // namespace

std::string in_words(const SoundFormat& format) {
  return text(format.kind.name, " at ", format.rate, " Hz, ", format.channels,
              format.channels == 1 ? " channel" : " channels");
}

Sound read_wav(Bytes file) {
  const std::string_view start = as_text(file.first(std::min<std::size_t>(file.size(), 4)));
  check(start != "RF64" && start != "BW64", "is a WAV of more than 4 GB (", start,
        "), which is not read; cut it up: ffmpeg -i IN.wav -f segment -segment_time 3600 OUT%03d.wav");
  const bool turned = start == "RIFX";
  ByteReader in(file, turned ? std::endian::big : std::endian::little);
  in.take(12);
  std::optional<SoundFormat> format;
  while (in.left().size() >= 8) {
    const std::string_view name = as_text(in.take(4));
    const auto size = in.number<std::uint32_t>();
    if (name == "data") {
      check(format.has_value(), "has samples before it tells what they are: it is damaged");
      Sound sound{*format};
      const Bytes samples = samples_of(size, in, sound.note);
      const std::size_t part = samples.size() % static_cast<std::size_t>(format->frame_bytes());
      if (part > 0 && sound.note.empty()) sound.note = text("ends inside a frame, ", part, " bytes of which are left out");
      sound.samples.assign(samples.begin(), samples.end() - static_cast<std::ptrdiff_t>(part));
      if (turned) reverse_samples(format->kind.bytes, sound.samples);
      return sound;
    }
    const Bytes chunk = in.take(size);
    if (name == "fmt ") format = read_format(ByteReader(chunk, turned ? std::endian::big : std::endian::little));
    // A chunk of odd size has a byte behind it that belongs to none, which some programs forget.
    if (size % 2 == 1 && !in.left().empty() && !as_text(in.left()).starts_with("data")) in.take(1);
  }
  throw Error("has no samples: it ends before its data chunk");
}

std::vector<std::uint8_t> wav_header(const SoundFormat& format, std::int64_t sample_bytes) {
  const bool pcm = format.kind.wave == 1;
  const std::int64_t header = pcm ? 36 : 50;  // that of other kinds says that it has no more, and tells the frames
  check(sample_bytes + header + 1 < std::int64_t{1} << 32, "a WAV of ", sample_bytes,
        " bytes of samples would be larger than the 4 GB that its header can tell; cut it up");
  const auto u16 = [](auto n) { return static_cast<std::uint16_t>(n); };
  const auto u32 = [](auto n) { return static_cast<std::uint32_t>(n); };
  ByteWriter out;
  out.text("RIFF").number(u32(header + sample_bytes + sample_bytes % 2)).text("WAVE");
  out.text("fmt ").number(u32(pcm ? 16 : 18)).number(format.kind.wave).number(u16(format.channels));
  out.number(u32(format.rate)).number(u32(format.rate * format.frame_bytes()));
  out.number(u16(format.frame_bytes())).number(u16(8 * format.kind.bytes));
  if (!pcm) out.number(u16(0)).text("fact").number(u32(4)).number(u32(sample_bytes / format.frame_bytes()));
  out.text("data").number(u32(sample_bytes));
  return out.take();
}

std::vector<std::uint8_t> to_wav(const SoundFormat& format, Bytes samples) {
  std::vector<std::uint8_t> file = wav_header(format, std::ssize(samples));
  file.insert(file.end(), samples.begin(), samples.end());
  if (samples.size() % 2 == 1) file.push_back(0);
  return file;
}

}  // namespace megalith::media

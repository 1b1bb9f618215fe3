// SPDX-License-Identifier: Apache-2.0
// Sound as frames of samples, and WAV files of it. An Error is the end of a sentence that begins with a file's name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "byte_reader.h"

namespace megalith::media {

/// How a sample is written, low byte first.
struct SampleKind {
  std::string_view name;   // as in --as
  std::uint16_t wave = 0;  // the format tag of WAV
  int bytes = 0;
  bool operator==(const SampleKind&) const = default;
};
inline constexpr SampleKind kU8{"u8", 1, 1}, kS16{"s16", 1, 2}, kS24{"s24", 1, 3}, kS32{"s32", 1, 4}, kF32{"f32", 3, 4},
    kF64{"f64", 3, 8}, kMuLaw{"mulaw", 7, 1}, kALaw{"alaw", 6, 1};
inline constexpr std::array kSampleKinds{kU8, kS16, kS24, kS32, kF32, kF64, kMuLaw, kALaw};

inline constexpr int kMaxChannels = 256;

struct SoundFormat {
  SampleKind kind = kS16;
  std::int64_t rate = 0;  // frames a second
  int channels = 1;       // kMaxChannels at most

  int frame_bytes() const { return kind.bytes * channels; }
  bool operator==(const SoundFormat&) const = default;
};

/// "s16 at 16,000 Hz, 1 channel".
std::string in_words(const SoundFormat& format);

struct Sound {
  SoundFormat format;
  std::vector<std::uint8_t> samples{};  // whole frames
  std::string note{};                   // what was wrong with the file and did no harm, or empty
};

/// PCM of 8, 16, 24 and 32 bits, floats of 32 and 64 bits, mu-law and A-law, in RIFF or, turned round, in RIFX. Other chunks
/// are skipped; a size that a pipe could not know, and one that goes beyond the end, is what is there. Throws Error where
/// the file is damaged or coded in another way.
Sound read_wav(Bytes file);

/// The header of a WAV file with that many bytes of samples. Throws Error where they are more than it can tell, 4 GB.
std::vector<std::uint8_t> wav_header(const SoundFormat& format, std::int64_t sample_bytes);
/// The whole file.
std::vector<std::uint8_t> to_wav(const SoundFormat& format, Bytes samples);

/// One channel, the rounded mean of all. Throws Error for A-law.
Sound as_mono(Sound sound);
/// Mu-law (ITU-T G.711) of samples of 16 bits; mu-law stays. Throws Error for other kinds.
Sound as_mu_law(Sound sound);

}  // namespace megalith::media

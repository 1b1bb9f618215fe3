// SPDX-License-Identifier: Apache-2.0
#include "sound.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "mu_law.h"

namespace megalith::media {
namespace {

/// A sample as a number, of whole ones as it is and of bytes without their bias.
double value(const SampleKind& kind, const std::uint8_t* at) {
  if (kind == kMuLaw) return from_mu_law(*at);
  if (kind == kU8) return *at - 128;
  if (kind == kF32 || kind == kF64) {
    float single = 0;
    double number = 0;
    if (kind == kF64) std::memcpy(&number, at, sizeof number);
    else std::memcpy(&single, at, sizeof single), number = single;
    return number;
  }
  std::uint32_t bits = 0;
  for (int i = 0; i < kind.bytes; ++i) bits |= std::uint32_t{at[i]} << (8 * (4 - kind.bytes + i));
  return static_cast<std::int32_t>(bits) >> (8 * (4 - kind.bytes));
}

void put(const SampleKind& kind, double x, std::uint8_t* at) {
  if (kind == kF64) {
    std::memcpy(at, &x, sizeof x);
  } else if (kind == kF32) {
    const auto single = static_cast<float>(x);
    std::memcpy(at, &single, sizeof single);
  } else {
    const long long whole = std::llround(x);
    if (kind == kMuLaw) *at = to_mu_law(static_cast<std::int16_t>(whole));
    else if (kind == kU8) *at = static_cast<std::uint8_t>(whole + 128);
    else
      for (int i = 0; i < kind.bytes; ++i) at[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(whole) >> 8 * i);
  }
}

}  // namespace

Sound as_mono(Sound sound) {
  const int channels = sound.format.channels;
  if (channels == 1) return sound;
  const SampleKind& kind = sound.format.kind;
  check(kind != kALaw,
        "is A-law, whose channels are not mixed; convert it: sox IN.wav -e signed-integer -b 16 -c 1 OUT.wav");
  const auto bytes = static_cast<std::size_t>(kind.bytes), frame = static_cast<std::size_t>(sound.format.frame_bytes());
  std::uint8_t* to = sound.samples.data();
  for (std::size_t at = 0; at < sound.samples.size(); at += frame, to += bytes) {
    double sum = 0;
    for (std::size_t i = 0; i < frame; i += bytes) sum += value(kind, &sound.samples[at + i]);
    put(kind, sum / channels, to);
  }
  sound.samples.resize(sound.samples.size() / static_cast<std::size_t>(channels));
  sound.format.channels = 1;
  return sound;
}

Sound as_mu_law(Sound sound) {
  if (sound.format.kind == kMuLaw) return sound;
  check(sound.format.kind == kS16, "has samples of the kind ", sound.format.kind.name,
        ", and mu-law is made of 16 bits; convert it: sox IN.wav -e signed-integer -b 16 OUT.wav");
  for (std::size_t i = 0; 2 * i < sound.samples.size(); ++i)
    sound.samples[i] = to_mu_law(static_cast<std::int16_t>(value(kS16, &sound.samples[2 * i])));
  sound.samples.resize(sound.samples.size() / 2);
  sound.format.kind = kMuLaw;
  return sound;
}

}  // namespace megalith::media

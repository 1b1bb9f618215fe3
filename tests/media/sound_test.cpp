// SPDX-License-Identifier: Apache-2.0
// What is made of samples.
#include "media/sound.h"

#include <gtest/gtest.h>

#include <cstring>

#include "files.h"
#include "media/mu_law.h"
#include "support/temporary_folder.h"

namespace megalith::media {
namespace {

using tests::bytes_of, tests::low_first, tests::text_of;

Sound sound(const SampleKind& kind, int channels, const std::string& samples) {
  Sound all{{kind, 8000, channels}};
  all.samples.assign(samples.begin(), samples.end());
  return all;
}

std::string low_first_of(std::initializer_list<std::int64_t> numbers, int bytes) {
  std::string all;
  for (const std::int64_t n : numbers) all += low_first(static_cast<std::uint64_t>(n), bytes);
  return all;
}

TEST(Mono, IsTheRoundedMean) {
  const auto mix = [](const SampleKind& kind, int channels, std::initializer_list<std::int64_t> frames) {
    const Sound mono = as_mono(sound(kind, channels, low_first_of(frames, kind.bytes)));
    EXPECT_EQ(mono.format, (SoundFormat{kind, 8000, 1}));
    return text_of(mono.samples);
  };
  EXPECT_EQ(mix(kS16, 2, {1000, 2001, -1000, -2001, 32767, 32767, -32768, -32768}),
            low_first_of({1501, -1501, 32767, -32768}, 2));
  EXPECT_EQ(mix(kS24, 3, {-8388608, 8388607, 4, 300, 300, 300}), low_first_of({1, 300}, 3));
  EXPECT_EQ(mix(kS32, 2, {-2147483648, -2147483648, 2147483647, 1}), low_first_of({-2147483648, 1073741824}, 4));
  EXPECT_EQ(mix(kU8, 2, {128, 255, 0, 0, 1, 254}), low_first_of({192, 0, 127}, 1)) << "127 / 2 is 64 from the middle";
}

TEST(Mono, FloatsAndMuLaw) {
  const float singles[] = {0.5f, 0.25f, -1, 1};
  const Sound mono = as_mono(sound(kF32, 2, {reinterpret_cast<const char*>(singles), sizeof singles}));
  float means[2];
  ASSERT_EQ(mono.samples.size(), sizeof means);
  std::memcpy(means, mono.samples.data(), sizeof means);
  EXPECT_EQ(means[0], 0.375f);
  EXPECT_EQ(means[1], 0);
  const double doubles[] = {3, 4, 8};
  double mean = 0;
  std::memcpy(&mean, as_mono(sound(kF64, 3, {reinterpret_cast<const char*>(doubles), sizeof doubles})).samples.data(),
              sizeof mean);
  EXPECT_EQ(mean, 5);
  const std::string loud_and_silent{static_cast<char>(to_mu_law(8000)), '\xff'};
  EXPECT_EQ(as_mono(sound(kMuLaw, 2, loud_and_silent)).samples[0], to_mu_law(4000));
}

TEST(Mono, WhatIsOneChannelStays) {
  EXPECT_EQ(text_of(as_mono(sound(kALaw, 1, "abc")).samples), "abc");
  EXPECT_ERROR(as_mono(sound(kALaw, 2, "ab")), "A-law, whose channels are not mixed; convert it: sox");
  EXPECT_EQ(as_mono(sound(kS16, 2, "")).samples.size(), 0u);
}

TEST(MuLawOfSound, IsOneByteASample) {
  const Sound out = as_mu_law(sound(kS16, 2, low_first_of({0, -1, 1000, -32768}, 2)));
  EXPECT_EQ(out.format, (SoundFormat{kMuLaw, 8000, 2}));
  EXPECT_EQ(out.samples, (std::vector<std::uint8_t>{0xFF, 0x7F, to_mu_law(1000), 0x00}));
  EXPECT_EQ(text_of(as_mu_law(sound(kMuLaw, 1, "abc")).samples), "abc");
  for (const SampleKind& kind : {kU8, kS24, kS32, kF32, kALaw})
    EXPECT_ERROR(as_mu_law(sound(kind, 1, std::string(12, 'x'))), "and mu-law is made of 16 bits; convert it: sox");
}

}  // namespace
}  // namespace megalith::media

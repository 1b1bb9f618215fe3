// SPDX-License-Identifier: Apache-2.0
// Mu-law of ITU-T G.711 (11/88): the sign, three bits of exponent and four of mantissa, inverted. Silence is 0xFF.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

namespace megalith::media {

inline constexpr int kMuLawBias = 132, kMuLawMost = 32767 - kMuLawBias;

/// The byte of the interval that a sample of 16 bits lies in (Table 2a), those above the last one in the last.
inline std::uint8_t to_mu_law(std::int16_t sample) {
  const int sign = sample < 0 ? 0x80 : 0;
  const int loud = std::min(std::abs(int{sample}), kMuLawMost) + kMuLawBias;               // 132 to 32767
  const int exponent = static_cast<int>(std::bit_width(static_cast<unsigned>(loud))) - 8;  // 0 to 7
  return static_cast<std::uint8_t>(~(sign | exponent << 4 | (loud >> (exponent + 3) & 0xF)));
}

/// The sample of 16 bits that a byte stands for, within -32124 and 32124.
inline std::int16_t from_mu_law(std::uint8_t byte) {
  const int bits = ~byte & 0xFF, exponent = bits >> 4 & 7;
  const int loud = (((bits & 0xF) << 3 | 0x84) << exponent) - kMuLawBias;
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? -loud : loud);
}

}  // namespace megalith::media

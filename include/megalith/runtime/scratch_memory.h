// SPDX-License-Identifier: Apache-2.0
// What scratch takes of the machine's memory.
#pragma once

namespace megalith {

/// About how many bytes an arena has touched after calls that took `bytes` at their highest. Its blocks double in size, and
/// the large ones are touched in pages of 2 MB: a block is left where the next piece does not fit, and about half a page of
/// it is lost at either end.
inline double touched_by_scratch(double bytes) {
  constexpr double kPage = 0x1.0p21;
  double lost = 0;
  for (double block = kPage, all = block; all < 2 * bytes; block *= 2, all += block) lost += kPage / 2;
  return bytes + lost;
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

namespace megalith::page {

/// x with this many decimals: 3.1416 as "3.14".
inline std::string rounded(double x, int decimals) {
  std::array<char, 352> out{};  // the largest double has 309 digits before the point
  std::snprintf(out.data(), out.size(), "%.*f", decimals, x);
  return out.data();
}

/// The same with commas between thousands: "1,131,310.5".
inline std::string grouped(double x, int decimals) {
  std::string all = rounded(x, decimals);
  const std::size_t first = all[0] == '-' ? 1 : 0, point = all.find('.');
  for (std::size_t at = point == all.npos ? all.size() : point; at > first + 3;) all.insert(at -= 3, 1, ',');
  return all;
}

/// 1131310 as "1,131,310".
inline std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

/// The word for n of a thing: "step" for 1, else "steps".
inline std::string plural(double n, const std::string& thing) { return n == 1 ? thing : thing + "s"; }

/// "1 step", "1,200 steps".
inline std::string counted(std::int64_t n, const std::string& thing) {
  return grouped(n) + " " + plural(static_cast<double>(n), thing);
}

}  // namespace megalith::page

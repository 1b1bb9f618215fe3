// SPDX-License-Identifier: Apache-2.0
// The known name that somebody probably meant, for messages about unknown names.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "megalith/core/shape.h"

namespace megalith {

/// The least number of changes that turn a into b; a change replaces, inserts or removes one byte or swaps two neighbours.
inline Index edit_distance(std::string_view a, std::string_view b) {
  // Row i of the usual table holds the distances of a's first i bytes to each prefix of b; a swap needs the row two above.
  std::vector<Index> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<Index>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = static_cast<Index>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// The entry of `known` (any range of strings, not empty) with the smallest edit distance to `name`; the first of several.
/// The view points into `known`.
template <class Names>
std::string_view nearest(std::string_view name, const Names& known) {
  std::string_view best;
  Index best_distance = -1;
  for (const auto& candidate : known) {
    const Index distance = edit_distance(name, candidate);
    if (best_distance >= 0 && distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

/// Whether `name` may be a misspelt `known`: the edit distance is at most a third of the longer one's length.
inline bool is_near(std::string_view name, std::string_view known) {
  return 3 * edit_distance(name, known) <= static_cast<Index>(std::max(name.size(), known.size()));
}

/// The end of a sentence about an unknown name: `; did you mean "width"?` where a known name is near, else
/// `; choose from a, b, c` where there are at most kMaxListed, else empty.
template <class Names>
std::string suggestion(std::string_view name, const Names& known) {
  constexpr std::size_t kMaxListed = 32;
  const std::string_view best = nearest(name, known);
  if (is_near(name, best)) return "; did you mean \"" + std::string(best) + "\"?";
  if (std::size(known) > kMaxListed) return "";
  std::string all;
  for (const auto& each : known) all += (all.empty() ? "; choose from " : ", ") + std::string(each);
  return all;
}

}  // namespace megalith

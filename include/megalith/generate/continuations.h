// SPDX-License-Identifier: Apache-2.0
// The likeliest ways in which a text goes on.
#pragma once

#include <string>
#include <vector>

#include "megalith/generate/generator.h"

namespace megalith {

/// Bytes that may follow, and their surprisal: -log2 of the probability that all of them come.
struct Continuation {
  std::string bytes;
  double bits = 0;
};

/// The `count` likeliest continuations of `length` bytes that a beam search finds, the likeliest first: byte by byte, it
/// keeps the `beam` likeliest beginnings (0: `count`, at least 8). The generator, of one stream, stays where it is; its
/// sampling and its hook do not count. Throws Error where it has several streams, and where a number is out of range.
std::vector<Continuation> likeliest_continuations(const Generator& from, Index length, Index count, Index beam = 0);

}  // namespace megalith

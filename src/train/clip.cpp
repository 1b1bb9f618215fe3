// SPDX-License-Identifier: Apache-2.0
#include "megalith/train/clip.h"

#include <algorithm>
#include <cmath>

namespace megalith {

double GlobalNorm::operator()(const Context& ctx, std::span<const Parameter> gradients) {
  chunks_.parallel(ctx, [&](const ParameterChunk& chunk, Index i) {
    constexpr Index kSummed = 512;  // squares in a sum in float, which loses little over that many
    const auto g = ParameterChunks::view(*gradients[chunk.parameter].tensor, chunk);
    double sum = 0;
    for (Index at = 0; at < chunk.size; at += kSummed) {
      const auto piece = g.segment(at, std::min(kSummed, chunk.size - at));
      const float squares = piece.squaredNorm();
      const bool in_range = squares > 1e-30f && squares < 1e30f;
      sum += in_range ? static_cast<double>(squares) : piece.cast<double>().squaredNorm();
    }
    sums_[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (const double s : sums_) sum += s;
  return std::sqrt(sum);
}

}  // namespace megalith

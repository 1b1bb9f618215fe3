// SPDX-License-Identifier: Apache-2.0
// Clipping of gradients by their global norm (Pascanu, Mikolov & Bengio 2013).
#pragma once

#include "megalith/train/parameter_chunks.h"

namespace megalith {

/// Computes the norm of a gradient over all parameters. Sums over 512 squares are in float (in double where they would
/// overflow or underflow), sums of those in double: of each chunk by itself, and then of the chunks in order.
class GlobalNorm {
 public:
  explicit GlobalNorm(std::span<const Parameter> parameters)
      : chunks_(parameters), sums_(static_cast<std::size_t>(chunks_.count())) {}

  /// Allocates nothing; the bits do not depend on threads.
  double operator()(const Context& ctx, std::span<const Parameter> gradients);

 private:
  ParameterChunks chunks_;
  std::vector<double> sums_;
};

/// The factor that brings a gradient of this norm down to at most `max_norm`; 1 where max_norm is 0.
inline double clip_factor(double norm, double max_norm) { return max_norm > 0 && norm > max_norm ? max_norm / norm : 1; }

}  // namespace megalith

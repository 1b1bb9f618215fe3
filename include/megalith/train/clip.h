// SPDX-License-Identifier: Apache-2.0
// Clipping of gradients by their global norm (Pascanu, Mikolov & Bengio 2013).
#pragma once

#include "megalith/train/parameter_chunks.h"

namespace megalith {

/// Computes the norm of a gradient over all parameters: squares are summed in float by the hundreds (in
/// double where float has no room), their sums in double, in chunks, and the chunks in order.
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

/// The factor that brings a gradient of this norm down to at most `largest`; 1 where largest is 0.
inline double clip_factor(double norm, double largest) { return largest > 0 && norm > largest ? largest / norm : 1; }

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The optimiser.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "megalith/core/problems.h"
#include "megalith/train/parameter_chunks.h"

namespace megalith {

struct AdamWConfig {
  double beta1 = 0.9, beta2 = 0.98, eps = 1e-8;
  double weight_decay = 0.1;  // of weights: not of biases, gains, positions and embeddings

  bool operator==(const AdamWConfig&) const = default;

  /// Adds a sentence for each setting that is out of range.
  void list_problems(Problems& problems) const;
};

/// Whether weight decay applies: to matrices and the output matrix.
bool decays(Role role);

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2, without its schedule multiplier):
///   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
///   w = w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w)
class AdamW {
 public:
  /// Moments of zero for parameters of these names and sizes.
  AdamW(std::span<const Parameter> parameters, const AdamWConfig& config);

  /// Update number t (from 1). Each gradient counts times `gradient_scale`, as clipping gives it, and is 0 afterwards, ready for
  /// the next step. Allocates nothing; the bits do not depend on threads.
  void update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
              double gradient_scale, std::int64_t t);

  /// The moments, in the order of the parameters: what a checkpoint saves.
  std::vector<Tensor<float>> first, second;

 private:
  AdamWConfig config_;
  ParameterChunks chunks_;
  std::vector<bool> decays_;
};

}  // namespace megalith

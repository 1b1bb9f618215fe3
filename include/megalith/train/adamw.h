// SPDX-License-Identifier: Apache-2.0
// Adam with decoupled weight decay.
#pragma once

#include <vector>

#include "megalith/core/problems.h"
#include "megalith/train/optimizer.h"
#include "megalith/train/parameter_chunks.h"

namespace megalith {

struct AdamWConfig {
  double beta1 = 0.9, beta2 = 0.98, eps = 1e-8;
  double weight_decay = 0.1;  // of weights: not of biases, gains, positions and embeddings

  bool operator==(const AdamWConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("beta1", c.beta1);
    f("beta2", c.beta2);
    f("eps", c.eps);
    f("weight_decay", c.weight_decay);
  }

  /// Adds a sentence for each setting that is out of range.
  void list_problems(Problems& problems) const;
};

/// Whether weight decay applies: to matrices and the output matrix.
bool decays(Role role);

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2, without its schedule multiplier):
///   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
///   w = w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w)
class AdamW final : public Optimizer {
 public:
  /// Moments of zero for parameters of these roles and sizes.
  AdamW(std::span<const Parameter> parameters, const AdamWConfig& config);

  std::string name() const override { return "AdamW"; }
  std::string settings() const override;
  void update(const Context& ctx, std::span<const Parameter> values, std::span<const Parameter> gradients, double lr,
              double gradient_scale, std::int64_t t) override;
  using Optimizer::visit_state;
  /// Groups `first` and `second`.
  void visit_state(const Visitor<Tensor<float>>& f) override;
  double bytes_per_parameter() const override { return 2 * sizeof(float); }

 private:
  AdamWConfig config_;
  ParameterChunks chunks_;
  std::vector<bool> decays_;
  std::vector<Tensor<float>> first_, second_;  // the moments m and v
};

}  // namespace megalith

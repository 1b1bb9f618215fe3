// SPDX-License-Identifier: Apache-2.0
// What a model of some config would cost, part by part and without making it.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/config.h"

namespace megalith {

/// Matrix products of one part of a forward pass, a multiply-add counting two.
struct FlopsPart {
  std::string name;
  double flops = 0;
};

/// What the attention of a stack counts.
enum class AttentionCost {
  causal,  // 4 C for each pair of a query and a key that it sees (j <= i, inside the window)
  linear   // 9 C for each position of each layer: a linear transformer as Yu et al. 2023 count it for figure 3
};

/// Of one forward over (B,T), in the order in which it runs: `products` and `attention` of each scale, preceded by the
/// scale's name where there are several, its `embedder` (both of its layers) where it has one, the `condition` of each inner
/// scale, and the `head`. Norms, activations and softmax count nothing. The config must be valid, T a multiple of its
/// outermost unit; it may be longer than the config's length.
std::vector<FlopsPart> forward_flops_by_part(const ModelConfig& config, Shape shape,
                                             AttentionCost attention = AttentionCost::causal);

/// Their sum; with causal attention equal to AnyModel::flops(). Backward costs twice as much.
double forward_flops(const ModelConfig& config, Shape shape, AttentionCost attention = AttentionCost::causal);

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// What a model of some config would cost, part by part and without making it, and the models of the paper's comparison.
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

/// A model of a comparison.
struct ComparedModel {
  std::string name;
  ModelConfig config;
  AttentionCost attention = AttentionCost::causal;
};

/// The models of Yu et al. 2023, figure 3: MEGABYTE with patches of 8, a transformer and a linear transformer, at three
/// sizes, smallest first. The paper prints MEGABYTE's sizes, and their shapes here have exactly these 12 L C^2 weights. Of
/// the others it says 660M to 173B: here they have GPT-3's shapes of names 760M, 6.7B and 175B, which hold 679M, 6.4B and
/// 173.9B.
std::vector<ComparedModel> figure_3_models();

}  // namespace megalith

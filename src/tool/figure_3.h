// SPDX-License-Identifier: Apache-2.0
// The comparison of Yu et al. 2023, figure 3.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/model_summary.h"

namespace megalith::tool {

/// What the attention of a compared model is counted as.
enum class AttentionCost {
  computed,  // as the model computes it
  nine_d     // 9 C for each position of each layer: a linear transformer as Yu et al. 2023 count it for figure 3
};

/// A model of a comparison.
struct ComparedModel {
  std::string name;
  ModelConfig config;
  AttentionCost attention = AttentionCost::computed;
};

/// The models of one size.
struct Figure3Size {
  ComparedModel megabyte, transformer, linear_transformer, nine_d_transformer;
};

/// MEGABYTE with patches of 8, a transformer, a linear transformer, and that once more as the paper counts it, at three
/// sizes, smallest first. The paper prints MEGABYTE's sizes, and their shapes here have exactly these 12 L C^2 weights. Of
/// the others it says 660M to 173B: here they have GPT-3's shapes of names 760M, 6.7B and 175B, which hold 679M, 6.4B and
/// 173.9B.
std::vector<Figure3Size> figure_3();

/// ModelSummary::flops_by_part() of a compared model over (B,T).
std::vector<FlopsPart> forward_flops_by_part(const ComparedModel& model, Shape shape);

}  // namespace megalith::tool

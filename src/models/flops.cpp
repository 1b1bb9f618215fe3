// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/flops.h"

#include "megalith/kernels/attention_mask.h"
#include "megalith/models/config_size.h"

namespace megalith {
namespace {

/// Of the products of one layer at one position.
double layer_products(const StackConfig& c) {
  const double C = static_cast<double>(c.width), F = static_cast<double>(hidden_width(c));
  return 2 * (C * 3 * C + C * C + C * static_cast<double>(up_width(c)) + F * C);
}

/// Of the attention of one layer over a sequence of K positions.
double layer_attention(const StackConfig& c, Index K, AttentionCost cost) {
  const double C = static_cast<double>(c.width);
  return cost == AttentionCost::linear ? 9 * C * static_cast<double>(K) : AttentionMask{.size = c.window}.pairs(K) * 4 * C;
}

}  // namespace

std::vector<FlopsPart> forward_flops_by_part(const ModelConfig& config, Shape shape, AttentionCost attention) {
  const double bytes = static_cast<double>(shape.rows());
  std::vector<FlopsPart> parts;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const StackConfig& stack = scale.stack;
    const std::string at = scale_prefix(config, i);
    const Index T = i == 0 ? shape.T : window_bytes(config, i);
    const double C = static_cast<double>(stack.width), layers = static_cast<double>(stack.layers);
    const double positions = bytes / static_cast<double>(scale.unit), sequences = bytes / static_cast<double>(T);
    const double E = static_cast<double>(embedding_width(scale));
    if (has_patch_embedder(scale))
      parts.push_back({at + "embedder", 2 * positions * 2 * static_cast<double>(scale.unit) * E * C});
    parts.push_back({at + "products", layers * positions * layer_products(stack)});
    parts.push_back({at + "attention", layers * sequences * layer_attention(stack, T / scale.unit, attention)});
    if (i + 1 == config.scales.size()) {
      parts.push_back({"head", 2 * bytes * C * static_cast<double>(kByteValues)});
      continue;
    }
    const StackConfig& inner = config.scales[i + 1].stack;  // it reads T/U rows of U * E numbers
    parts.push_back({condition_name(config, i + 1), 2 * bytes * E * static_cast<double>(inner.width)});
  }
  return parts;
}

double forward_flops(const ModelConfig& config, Shape shape, AttentionCost attention) {
  double sum = 0;
  for (const FlopsPart& part : forward_flops_by_part(config, shape, attention)) sum += part.flops;
  return sum;
}

}  // namespace megalith

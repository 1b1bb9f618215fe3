// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/config_size.h"

namespace megalith {
namespace {

Index norm_size(NormKind kind, Index channels) { return kind == NormKind::layer ? 2 * channels : channels; }

Index stack_size(const StackConfig& c) {
  const Index C = c.width, F = hidden_width(c), up = up_width(c);
  const Index weights = C * 3 * C + C * C + C * up + F * C;
  const Index biases = c.bias ? 3 * C + C + up + C : 0;
  const Index qk_gains = c.qk_norm ? 2 * (C / c.heads) : 0;
  return c.layers * (weights + biases + qk_gains + 2 * norm_size(c.norm, C)) + norm_size(c.norm, C);
}

}  // namespace

std::vector<SizePart> parameters_by_part(const ModelConfig& config) {
  constexpr Index V = kByteValues;
  std::vector<SizePart> parts;
  for (std::size_t i = 0; i < config.scales.size(); ++i) {
    const ScaleConfig& scale = config.scales[i];
    const bool learned = scale.stack.positions == PositionKind::learned;
    const Index U = scale.unit, E = embedding_width(scale), C = scale.stack.width;
    const std::string at = scale_prefix(config, i);
    parts.push_back({at + "embeddings", V * E + U * E + (learned ? window_bytes(config, i) * E : 0)});
    if (has_patch_embedder(scale)) parts.push_back({at + "embedder", 2 * U * E * C + (scale.stack.bias ? C + U * E : 0)});
    parts.push_back({at + "stack", stack_size(scale.stack)});
    if (i + 1 == config.scales.size()) {
      if (!config.tied) parts.push_back({"head", C * V});
      continue;
    }
    const ScaleConfig& inner = config.scales[i + 1];
    parts.push_back({condition_name(config, i + 1), inner.unit * E * inner.stack.width});
  }
  return parts;
}

Index parameter_count(const ModelConfig& config) {
  Index sum = 0;
  for (const SizePart& part : parameters_by_part(config)) sum += part.parameters;
  return sum;
}

std::string scale_prefix(const ModelConfig& config, std::size_t scale) {
  if (config.scales.size() == 1) return "";
  return scale == 0 ? "global " : scale + 1 == config.scales.size() ? "local " : "middle ";
}

std::string condition_name(const ModelConfig& config, std::size_t scale) {
  return (config.scales.size() == 2 ? "" : scale_prefix(config, scale)) + "condition";
}

}  // namespace megalith

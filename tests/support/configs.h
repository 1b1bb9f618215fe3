// SPDX-License-Identifier: Apache-2.0
// Configs of small models that differ in everything that changes what a model computes, holds or takes: one list, for the
// tests of decoders, summaries, files, training and generation.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "megalith/models/config.h"
#include "megalith/nn/linear_transformer_config.h"
#include "megalith/nn/mega_config.h"
#include "megalith/nn/megalodon_config.h"
#include "megalith/nn/perceiver_config.h"

namespace megalith::tests {

struct NamedConfig {
  std::string name;
  ModelConfig config;

  friend void PrintTo(const NamedConfig& c, std::ostream* out) { *out << c.name; }
};

/// A stack of this width whose other numbers are as small as they come.
inline StackConfig small_stack(Index width, Index layers, TransformerConfig block = {.heads = 2}) {
  block.hidden = 2 * width;
  return {.width = width, .layers = layers, .block = block};
}
/// RMSNorm, rotary positions, normalised queries and keys, no biases.
inline StackConfig modern_stack(Index width, Index layers, Activation activation, TransformerConfig block = {.heads = 2}) {
  block.norm = NormKind::rms;
  block.activation = activation;
  block.rotary_base = 123.25;
  block.qk_norm = true;
  StackConfig stack = small_stack(width, layers, block);
  stack.positions = PositionKind::rotary;
  stack.bias = false;
  return stack;
}
/// Perceiver AR's blocks in the place of a stack's transformer blocks.
inline StackConfig perceiver_stack(StackConfig stack, Index latents) {
  stack.block = PerceiverConfig{.latents = latents, .layer = stack.block.as<TransformerConfig>()};
  return stack;
}
/// The same stack with linear attention.
inline StackConfig with_linear_attention(StackConfig stack) {
  const auto c = stack.block.as<TransformerConfig>();
  stack.block = LinearTransformerConfig{
      .heads = c.heads, .hidden = c.hidden, .norm = c.norm, .activation = c.activation, .rotary_base = c.rotary_base};
  return stack;
}
inline StackConfig with_dropout(StackConfig stack, double dropout) {
  stack.dropout = dropout;
  return stack;
}
inline StackConfig with_recompute(StackConfig stack) {
  stack.recompute = true;
  return stack;
}
inline StackConfig with_positions(StackConfig stack, PositionKind positions) {
  stack.positions = positions;
  return stack;
}

/// Blocks of MEGALODON in the place of a stack's transformer blocks, of the same feed-forward layers.
inline StackConfig megalodon_stack(StackConfig stack, MegalodonConfig block) {
  block.hidden = stack.block.as<TransformerConfig>().hidden;
  block.states = 3;
  stack.block = block;
  return stack;
}

/// Blocks of MEGA in their place.
inline StackConfig mega_stack(StackConfig stack, MegaConfig block) {
  block.hidden = stack.block.as<TransformerConfig>().hidden;
  block.states = 3;
  stack.block = block;
  return stack;
}

/// All for windows of 32 bytes, in patches that divide 8. A width of 16 or 24 in each stack is valid too.
std::vector<NamedConfig> unusual_configs();
/// Those with this number of scales.
std::vector<NamedConfig> unusual_configs(std::size_t scales);
ModelConfig config_named(const std::string& name);

inline TransformerConfig& transformer(ScaleConfig& scale) { return scale.stack.block.as<TransformerConfig>(); }

/// The width of the feed-forward layers, of whatever kind the blocks are.
inline Index& hidden_of(ScaleConfig& scale) {
  BlockConfig& block = scale.stack.block;
  if (block.get_if<PerceiverConfig>() != nullptr) return block.as<PerceiverConfig>().layer.hidden;
  if (block.get_if<LinearTransformerConfig>() != nullptr) return block.as<LinearTransformerConfig>().hidden;
  if (block.get_if<MegalodonConfig>() != nullptr) return block.as<MegalodonConfig>().hidden;
  if (block.get_if<MegaConfig>() != nullptr) return block.as<MegaConfig>().hidden;
  return block.as<TransformerConfig>().hidden;
}

/// The same config with longer windows, and wider by a factor: for tests that measure memory.
inline ModelConfig enlarged(ModelConfig config, Index width_factor, Index length) {
  config.length = length;
  for (ScaleConfig& scale : config.scales) {
    scale.embedding *= width_factor;
    scale.stack.width *= width_factor;
    hidden_of(scale) *= width_factor;
    if (scale.stack.block.get_if<TransformerConfig>() != nullptr) transformer(scale).window *= width_factor;
  }
  return config;
}

/// How many losses after a byte's own must depend on it, where nothing but the windows of attention limits them.
inline Index reach_of(const ModelConfig& config, std::size_t scale = 0) {
  const ScaleConfig& c = config.scales[scale];
  const auto* const settings = c.stack.block.get_if<TransformerConfig>();
  const Index window = settings == nullptr ? 0 : settings->window;
  // Byte t is read at the position after its patch's, which each layer carries on by a window.
  const Index reach = window == 0 ? config.length : (1 + c.stack.layers * (window - 1)) * c.patch;
  if (scale + 1 == config.scales.size()) return reach;
  const Index inside = reach_of(config, scale + 1);
  return inside < c.patch - 1 ? inside : reach;
}

}  // namespace megalith::tests

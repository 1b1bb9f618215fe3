// SPDX-License-Identifier: Apache-2.0
// Configs of small models that differ in everything that changes what a model computes, holds or takes: one list, for the
// tests of decoders, summaries, files, training and generation.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "megalith/models/config.h"
#include "megalith/nn/linear_transformer_config.h"
#include "megalith/nn/perceiver_config.h"

namespace megalith::tests {

struct NamedConfig {
  std::string name;
  ModelConfig config;
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

/// All for windows of 32 bytes, in patches that divide 8. A width of 16 or 24 in each stack is valid too.
inline std::vector<NamedConfig> unusual_configs() {
  constexpr auto previous = FirstInput::previous;
  constexpr Index kLength = 32;
  return {
      // One scale.
      {"vanilla", {.length = kLength, .scales = {{.stack = with_dropout(small_stack(16, 2), 0.1)}}}},
      {"vanilla_window",
       {.length = kLength,
        .scales = {{.stack = modern_stack(8, 2, Activation::swiglu, {.heads = 4, .kv_heads = 2, .window = 5})}},
        .tied = false,
        .soft_cap = 3,
        .init_std = 0.006,
        .residual_init = 0.5}},
      {"vanilla_recompute",
       {.length = kLength,
        .scales = {{.stack = with_recompute(with_positions(
                        with_dropout(small_stack(12, 2, {.heads = 1, .window = 4, .activation = Activation::gelu}), 0.2),
                        PositionKind::none))}}}},
      {"perceiver", {.length = kLength, .scales = {{.stack = with_dropout(perceiver_stack(small_stack(16, 2), 8), 0.1)}}}},
      {"perceiver_rotary",
       {.length = kLength,
        .scales = {{.stack = with_recompute(
                        perceiver_stack(modern_stack(16, 3, Activation::swiglu, {.heads = 4, .kv_heads = 2}), 4))}},
        .tied = false}},
      {"linear",
       {.length = kLength,
        .scales = {{.stack = with_dropout(with_linear_attention(modern_stack(16, 2, Activation::swiglu)), 0.1)}}}},
      // Two: equations (1) to (6) of the paper, with dropout; and what is newer.
      {"megabyte",
       {.length = kLength,
        .scales = {{.patch = 4, .stack = with_dropout(small_stack(16, 2, {.heads = 4}), 0.2)},
                   {.patch = 1, .stack = with_dropout(small_stack(16, 1), 0.1)}}}},
      {"modern",
       {.length = kLength,
        .scales = {{.patch = 4, .stack = with_dropout(modern_stack(16, 1, Activation::swiglu), 0.1)},
                   {.patch = 1, .first_input = previous, .stack = modern_stack(16, 1, Activation::relu_squared)}},
        .record = {.bytes = 2}}},
      {"embedder",  // 4 * 3 is not 10: patches are projected
       {.length = kLength,
        .scales = {{.patch = 4,
                    .embedding = 3,
                    .stack = with_recompute(modern_stack(10, 2, Activation::relu_squared, {.heads = 1, .window = 3}))},
                   {.patch = 1,
                    .first_input = previous,
                    .stack = small_stack(8, 2, {.heads = 4, .kv_heads = 1, .activation = Activation::gelu})}},
        .tied = false,
        .soft_cap = 3}},
      // Cross-patch attention, over a whole patch and over a part of one.
      {"cross_patch",
       {.length = kLength,
        .scales =
            {{.patch = 4, .stack = with_dropout(small_stack(16, 1), 0.1)},
             {.patch = 1, .cross_patch = 4, .stack = with_dropout(modern_stack(16, 2, Activation::relu_squared), 0.2)}}}},
      {"cross_patch_short",
       {.length = kLength,
        .scales = {{.patch = 8, .stack = small_stack(16, 1)},
                   {.patch = 1,
                    .first_input = previous,
                    .cross_patch = 3,
                    .stack = with_recompute(modern_stack(8, 2, Activation::swiglu, {.heads = 4, .kv_heads = 2}))}}}},
      {"perceivers",  // over 8 patches, and inside each
       {.length = kLength,
        .scales =
            {{.patch = 4, .stack = perceiver_stack(with_dropout(small_stack(16, 2), 0.2), 2)},
             {.patch = 1, .first_input = previous, .stack = perceiver_stack(modern_stack(16, 2, Activation::gelu), 2)}}}},
      {"convolution",
       {.length = kLength,
        .scales = {{.patch = 4, .convolution = true, .stack = with_dropout(small_stack(16, 1), 0.1)},
                   {.patch = 1, .first_input = previous, .stack = small_stack(16, 1)}}}},
      {"linear_megabyte",
       {.length = kLength,
        .scales = {{.patch = 4, .stack = with_recompute(with_linear_attention(modern_stack(16, 2, Activation::relu)))},
                   {.patch = 1, .stack = with_dropout(with_linear_attention(small_stack(16, 1)), 0.1)}}}},
      // Three.
      {"three_scales",
       {.length = kLength,
        .scales = {{.patch = 8, .stack = with_dropout(small_stack(16, 1), 0.1)},
                   {.patch = 2, .stack = with_dropout(modern_stack(16, 1, Activation::swiglu), 0.1)},
                   {.patch = 1, .stack = with_dropout(small_stack(16, 1), 0.1)}}}},
      {"three_scales_previous",
       {.length = kLength,
        .scales = {{.patch = 8, .embedding = 3, .stack = modern_stack(12, 2, Activation::relu, {.heads = 2, .kv_heads = 1})},
                   {.patch = 2,
                    .embedding = 4,
                    .first_input = previous,
                    .stack = with_positions(with_recompute(small_stack(12, 1)), PositionKind::none)},
                   {.patch = 1, .first_input = previous, .stack = small_stack(8, 1)}},
        .tied = false}},
      {"three_scales_cross_patch",
       {.length = kLength,
        .scales = {{.patch = 8, .stack = with_dropout(small_stack(16, 1), 0.1)},
                   {.patch = 2,
                    .convolution = true,
                    .cross_patch = 3,
                    .stack = with_dropout(modern_stack(16, 2, Activation::swiglu), 0.1)},
                   {.patch = 1,
                    .first_input = previous,
                    .cross_patch = 2,
                    .stack = with_dropout(modern_stack(16, 2, Activation::relu), 0.1)}}}},
      {"three_scales_cross_patch_middle",
       {.length = kLength,
        .scales = {{.patch = 8, .stack = small_stack(16, 1)},
                   {.patch = 2, .first_input = previous, .cross_patch = 4, .stack = modern_stack(16, 1, Activation::relu)},
                   {.patch = 1, .first_input = previous, .stack = small_stack(16, 1)}}}},
      {"three_scales_cross_patch_inside",
       {.length = kLength,
        .scales = {{.patch = 8, .stack = small_stack(16, 1)},
                   {.patch = 2, .stack = small_stack(16, 1)},
                   {.patch = 1, .cross_patch = 1, .stack = modern_stack(16, 1, Activation::relu)}}}},
      {"three_scales_convolution",
       {.length = kLength,
        .scales = {{.patch = 8, .embedding = 3, .convolution = true, .stack = modern_stack(12, 1, Activation::relu_squared)},
                   {.patch = 4, .convolution = true, .first_input = previous, .stack = small_stack(12, 1)},
                   {.patch = 1, .first_input = previous, .stack = small_stack(8, 1)}}}}};
}

/// Those with this number of scales.
inline std::vector<NamedConfig> unusual_configs(std::size_t scales) {
  std::vector<NamedConfig> some;
  for (NamedConfig& c : unusual_configs())
    if (c.config.scales.size() == scales) some.push_back(std::move(c));
  return some;
}

inline ModelConfig config_named(const std::string& name) {
  const std::vector<NamedConfig> all = unusual_configs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const NamedConfig& c) { return c.name == name; });
  check(found != all.end(), "there is no config named ", name);
  return found->config;
}

inline TransformerConfig& transformer(ScaleConfig& scale) { return scale.stack.block.as<TransformerConfig>(); }

/// The width of the feed-forward layers, of whatever kind the blocks are.
inline Index& hidden_of(ScaleConfig& scale) {
  BlockConfig& block = scale.stack.block;
  if (block.get_if<PerceiverConfig>() != nullptr) return block.as<PerceiverConfig>().layer.hidden;
  if (block.get_if<LinearTransformerConfig>() != nullptr) return block.as<LinearTransformerConfig>().hidden;
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

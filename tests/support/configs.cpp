// SPDX-License-Identifier: Apache-2.0
#include "support/configs.h"

#include <algorithm>

#include "megalith/core/check.h"

namespace megalith::tests {

std::vector<NamedConfig> unusual_configs() {
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
      {"megalodon",
       {.length = kLength,
        .scales = {{.stack = megalodon_stack(with_positions(with_dropout(small_stack(16, 2), 0.1), PositionKind::rotary),
                                             {.heads = 2, .qk_width = 8, .chunk = 8, .groups = 2})}}}},
      {"mega",
       {.length = kLength,
        .scales = {{.stack = mega_stack(with_dropout(small_stack(16, 2), 0.1),
                                        {.chunk = 8, .attention = AttentionFunction::laplace})}}}},
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
      {"megalodon_megabyte",
       {.length = kLength,
        .scales = {{.patch = 4,
                    .stack = megalodon_stack(small_stack(16, 2), {.chunk = 4,
                                                                  .average = AverageKind::real,
                                                                  .two_hop = false,
                                                                  .rescale = true,
                                                                  .activation = Activation::swiglu})},
                   {.patch = 1,
                    .first_input = previous,
                    .stack = megalodon_stack(small_stack(16, 1), {.chunk = 3, .groups = 4, .normalized = false})}}}},
      {"mega_megabyte",
       {.length = kLength,
        .scales = {{.patch = 4,
                    .stack = mega_stack(with_recompute(small_stack(16, 2)),
                                        {.chunk = 4, .relative_bias = RelativeBiasKind::simple, .pre_norm = false})},
                   {.patch = 1,
                    .first_input = previous,
                    .stack = mega_stack(with_positions(small_stack(16, 1), PositionKind::none),
                                        {.qk_width = 5,
                                         .chunk = 3,
                                         .attention = AttentionFunction::relu_squared,
                                         .relative_bias = RelativeBiasKind::none,
                                         .norm = NormKind::rms})}}}},
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

std::vector<NamedConfig> unusual_configs(std::size_t scales) {
  std::vector<NamedConfig> some;
  for (NamedConfig& c : unusual_configs())
    if (c.config.scales.size() == scales) some.push_back(std::move(c));
  return some;
}

ModelConfig config_named(const std::string& name) {
  const std::vector<NamedConfig> all = unusual_configs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const NamedConfig& c) { return c.name == name; });
  check(found != all.end(), "there is no config named ", name);
  return found->config;
}

}  // namespace megalith::tests

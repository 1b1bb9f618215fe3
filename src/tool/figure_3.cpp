// SPDX-License-Identifier: Apache-2.0
#include "figure_3.h"

#include "megalith/nn/linear_transformer_config.h"

namespace megalith::tool {

std::vector<Figure3Size> figure_3() {
  constexpr Index kPatch = 8;
  const auto stack = [](Index layers, Index width, Index heads) {
    return StackConfig{.width = width, .layers = layers, .block = TransformerConfig{.heads = heads}};
  };
  const auto size = [](const char* name, const StackConfig& global, const StackConfig& local, const std::string& flat_name,
                       const StackConfig& flat) {
    const ModelConfig config{.scales = {{.patch = 1, .stack = flat}}};
    ModelConfig linear = config;
    linear.scales[0].stack.block = LinearTransformerConfig{.heads = flat.block.as<TransformerConfig>().heads};
    return Figure3Size{{name, {.scales = {{.patch = kPatch, .stack = global}, {.patch = 1, .stack = local}}}},
                       {"transformer " + flat_name, config},
                       {"linear transformer " + flat_name, linear},
                       {"linear transformer " + flat_name + ", 9 D", linear, AttentionCost::nine_d}};
  };
  return {
      size("MEGABYTE 452M + 151M", stack(16, 1536, 16), stack(12, 1024, 16), "679M", stack(24, 1536, 16)),
      size("MEGABYTE 5.8B + 604M", stack(29, 4096, 32), stack(12, 2048, 32), "6.4B", stack(32, 4096, 32)),
      size("MEGABYTE 170B + 3.2B", stack(94, 12288, 96), stack(16, 4096, 32), "173.9B", stack(96, 12288, 96)),
  };
}

std::vector<FlopsPart> forward_flops_by_part(const ComparedModel& model, Shape shape) {
  std::vector<FlopsPart> parts = make_summary(model.config)->flops_by_part(shape);
  if (model.attention == AttentionCost::computed) return parts;
  const StackConfig& stack = model.config.scales.front().stack;
  for (FlopsPart& part : parts)
    if (part.name == "attention")
      part.flops = 9 * static_cast<double>(stack.width * stack.layers) * static_cast<double>(shape.rows());
  return parts;
}

}  // namespace megalith::tool

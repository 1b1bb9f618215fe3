// SPDX-License-Identifier: Apache-2.0
// MEGA's block as a kind of block, compiled once in float.
#include "megalith/nn/mega_block.h"

#include "attention_problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct MegaBlock<float>;
template const BlockKind& block_kind_of<MegaConfig>();

MegaConfig MegaConfig::with_defaults(const StackConfig& stack) const {
  MegaConfig c = *this;
  if (c.qk_width == 0) c.qk_width = std::max<Index>(2, (stack.width / 4 + 1) / 2 * 2);
  if (c.value_width == 0) c.value_width = 2 * stack.width;
  if (c.hidden == 0) c.hidden = 2 * stack.width;
  if (relative_bias != RelativeBiasKind::rotary) c.rotary_base = 0;
  return c;
}

void MegaConfig::list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
  constexpr Index kMaxChunk = Index{1} << 31, kMaxTable = Index{1} << 20, kMaxStates = 1024;
  const std::string own = text(at, ".", kKind, "."), qk_name = own + "qk_width", bias_name = own + "relative_bias";
  problems.unless(stack.positions != PositionKind::rotary, at + ".positions",
                  " = \"rotary\" turns queries and keys, which blocks of the kind \"", kKind,
                  "\" do not do; set it to \"none\", and ", bias_name, " to \"rotary\"");
  if (problems.range(qk_name, qk_width, 0, kMaxHidden) && relative_bias == RelativeBiasKind::rotary)
    problems.unless(qk_width % 2 == 0, {qk_name, bias_name}, " = ", qk_width,
                    " is odd, and a rotary bias turns pairs of channels; give an even number, or another ", bias_name);
  problems.range(own + "value_width", value_width, 0, kMaxHidden);
  problems.range(own + "hidden", hidden, 0, kMaxHidden);
  // A simple bias is a parameter for each distance.
  problems.range(own + "chunk", chunk, 1, relative_bias == RelativeBiasKind::simple ? kMaxTable : kMaxChunk);
  problems.range(own + "states", states, 1, kMaxStates);
  list_rotary_problems(own, rotary_base, problems);
}

}  // namespace megalith

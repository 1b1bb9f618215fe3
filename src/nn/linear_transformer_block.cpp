// SPDX-License-Identifier: Apache-2.0
// The linear transformer as a kind of block, compiled once in float.
#include "megalith/nn/linear_transformer_block.h"

#include "attention_problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct LinearTransformerBlock<float>;
template const BlockKind& block_kind_of<LinearTransformerConfig>();

Index LinearTransformerConfig::hidden_width(Index width) const {
  return hidden > 0 ? hidden : default_hidden_width(width, activation);
}

LinearTransformerConfig LinearTransformerConfig::with_defaults(const StackConfig& stack) const {
  LinearTransformerConfig c = *this;
  c.hidden = hidden_width(stack.width);
  if (stack.positions != PositionKind::rotary) c.rotary_base = 0;
  return c;
}

void LinearTransformerConfig::list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
  const std::string own = text(at, ".", kKind, ".");
  list_head_problems(stack, at, own, heads, problems);
  problems.range(own + "hidden", hidden, 0, kMaxHidden);
  list_rotary_problems(own, rotary_base, problems);
}

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The transformer as a kind of block, compiled once in float.
#include "megalith/nn/transformer_block.h"

#include "attention_problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct TransformerBlock<float>;
template const BlockKind& block_kind_of<TransformerConfig>();

Index TransformerConfig::hidden_width(Index width) const {
  return hidden > 0 ? hidden : default_hidden_width(width, activation);
}

TransformerConfig TransformerConfig::with_defaults(const StackConfig& stack) const {
  TransformerConfig c = *this;
  c.kv_heads = kv_heads > 0 ? kv_heads : heads;
  c.hidden = hidden_width(stack.width);
  if (stack.positions != PositionKind::rotary) c.rotary_base = 0;
  return c;
}

void TransformerConfig::list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
  list_problems_of(stack, at, text(at, ".", kKind, "."), problems);
}

void TransformerConfig::list_problems_of(const StackConfig& stack, const std::string& at, const std::string& own,
                                         Problems& problems) const {
  constexpr Index kMaxWindow = Index{1} << 31;
  const std::string heads_name = own + "heads";
  list_head_problems(stack, at, own, heads, problems);
  if (problems.range(own + "kv_heads", kv_heads, 0, kMaxHeads) && kv_heads > 0 && heads >= 1)
    problems.unless(heads % kv_heads == 0, {own + "kv_heads", heads_name}, " = ", kv_heads, " does not divide ", heads_name,
                    " = ", heads);
  problems.range(own + "hidden", hidden, 0, kMaxHidden);
  if (problems.range(own + "window", window, 0, kMaxWindow))
    problems.unless(window == 0 || stack.chunk == 0, own + "window", " = ", window,
                    " cannot be had with cross-patch attention, which says itself how far a position sees; set one of them "
                    "to 0");
  list_rotary_problems(own, rotary_base, problems);
}

}  // namespace megalith

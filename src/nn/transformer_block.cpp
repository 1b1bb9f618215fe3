// SPDX-License-Identifier: Apache-2.0
// The transformer as a kind of block, compiled once in float.
#include "megalith/nn/transformer_block.h"

#include <cmath>

#include "megalith/core/problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct TransformerBlock<float>;
template const BlockKind& block_kind_of<TransformerConfig>();

Index TransformerConfig::hidden_width(Index width) const {
  if (hidden > 0) return hidden;
  return is_gated(activation) ? (width * 8 / 3 + 7) / 8 * 8 : 4 * width;
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
  constexpr Index kMaxHeads = 65536, kMaxHidden = Index{1} << 20, kMaxWindow = Index{1} << 31;
  const std::string width_name = at + ".width", heads_name = own + "heads";
  if (problems.range(heads_name, heads, 1, kMaxHeads) && stack.width >= 1 &&
      problems.unless(stack.width % heads == 0, {heads_name, width_name}, " = ", heads, " does not divide ", width_name,
                      " = ", stack.width))
    problems.unless(stack.positions != PositionKind::rotary || stack.width / heads % 2 == 0, {heads_name, width_name}, " = ",
                    heads, " splits ", width_name, " = ", stack.width, " into heads of ", stack.width / heads,
                    " channels, and rotary positions need an even number");
  if (problems.range(own + "kv_heads", kv_heads, 0, kMaxHeads) && kv_heads > 0 && heads >= 1)
    problems.unless(heads % kv_heads == 0, {own + "kv_heads", heads_name}, " = ", kv_heads, " does not divide ", heads_name,
                    " = ", heads);
  problems.range(own + "hidden", hidden, 0, kMaxHidden);
  if (problems.range(own + "window", window, 0, kMaxWindow))
    problems.unless(window == 0 || stack.chunk == 0, own + "window", " = ", window,
                    " cannot be had with cross-patch attention, which says itself how far a position sees; set one of them "
                    "to 0");
  problems.unless(std::isfinite(rotary_base) && rotary_base > 0, own + "rotary_base", " must be above 0, not ", rotary_base);
}

}  // namespace megalith

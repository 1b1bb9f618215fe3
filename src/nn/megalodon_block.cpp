// SPDX-License-Identifier: Apache-2.0
// MEGALODON's block as a kind of block, compiled once in float.
#include "megalith/nn/megalodon_block.h"

#include "attention_problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct MegalodonBlock<float>;
template const BlockKind& block_kind_of<MegalodonConfig>();

namespace {

/// As many as divide the width into groups of 32 channels or more.
Index groups_of(Index width) {
  Index groups = std::max<Index>(1, width / 32);
  while (width % groups != 0) --groups;
  return groups;
}

}  // namespace

MegalodonConfig MegalodonConfig::with_defaults(const StackConfig& stack) const {
  MegalodonConfig c = *this;
  if (c.qk_width == 0) c.qk_width = stack.width / 4;
  if (c.value_width == 0) c.value_width = 2 * stack.width;
  if (c.hidden == 0) c.hidden = default_hidden_width(stack.width, activation);
  if (c.groups == 0) c.groups = groups_of(stack.width);
  if (norm != SequenceNormKind::timestep) c.groups = 0;
  if (average == AverageKind::none) c.states = 0;
  if (stack.positions != PositionKind::rotary) c.rotary_base = 0;
  return c;
}

void MegalodonConfig::list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
  constexpr Index kMaxChunk = Index{1} << 31, kMaxStates = 1024;
  const std::string own = text(at, ".", kKind, "."), heads_name = own + "heads", width_name = at + ".width";
  const bool with_heads = problems.range(heads_name, heads, 1, kMaxHeads);
  const bool with_width = stack.width >= 1 && stack.width <= kMaxHidden;  // what is wrong with it is found elsewhere
  const auto of_heads = [&](const char* name, Index given, Index value, bool even) {
    if (!problems.range(own + name, given, 0, kMaxHidden) || !with_heads || !with_width) return;
    const std::string of = given > 0 ? text(" = ", value) : text(", which is ", value, " by default,");
    if (problems.unless(value >= heads && value % heads == 0, {own + name, heads_name}, of, " is not divided by ",
                        heads_name, " = ", heads) &&
        even)
      problems.unless(value / heads % 2 == 0, {own + name, heads_name}, of, " gives heads of ", value / heads,
                      " channels, and rotary positions need an even number");
  };
  const MegalodonConfig c = with_width ? with_defaults(stack) : *this;
  of_heads("qk_width", qk_width, c.qk_width, stack.positions == PositionKind::rotary);
  of_heads("value_width", value_width, c.value_width, false);
  problems.range(own + "hidden", hidden, 0, kMaxHidden);
  problems.range(own + "chunk", chunk, 1, kMaxChunk);
  if (average != AverageKind::none) problems.range(own + "states", states, 1, kMaxStates);
  if (norm == SequenceNormKind::timestep && problems.range(own + "groups", groups, 0, kMaxHidden) && with_width) {
    if (problems.unless(stack.width % c.groups == 0, {own + "groups", width_name}, " = ", c.groups, " does not divide ",
                        width_name, " = ", stack.width))
      problems.unless(c.groups < stack.width, {own + "groups", width_name}, " = ", c.groups,
                      " leaves one channel in a group, whose variance at the first position is 0; give fewer groups");
  }
  list_rotary_problems(own, rotary_base, problems);
}

}  // namespace megalith

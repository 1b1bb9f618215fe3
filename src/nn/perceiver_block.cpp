// SPDX-License-Identifier: Apache-2.0
// Perceiver AR as a kind of block, compiled once in float.
#include "megalith/nn/perceiver_block.h"

#include "megalith/core/problems.h"
#include "megalith/nn/define_block_kind.h"

namespace megalith {

template struct PerceiverBlock<float>;
template const BlockKind& block_kind_of<PerceiverConfig>();

PerceiverConfig PerceiverConfig::with_defaults(const StackConfig& stack) const {
  PerceiverConfig c = *this;
  c.predicted = 0;
  c.layer = layer.with_defaults(stack);
  return c;
}

void PerceiverConfig::list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const {
  constexpr Index kMax = Index{1} << 31;
  const std::string own = text(at, ".", kKind, ".");
  problems.range(own + "latents", latents, 1, kMax);
  problems.range(own + "predicted", predicted, 0, kMax);
  problems.unless(layer.window == 0, own + "window", " = ", layer.window,
                  " must be 0: the first layer sees all that came before, and the others their own chunk");
  layer.list_problems_of(stack, at, own, problems);
}

}  // namespace megalith

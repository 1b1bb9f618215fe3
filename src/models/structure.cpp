// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/structure.h"

#include <utility>

#include "megalith/nn/block_kind.h"

namespace megalith {

ModelConfig structure_of(ModelConfig config) {
  config.init_std = config.residual_init = 0;
  config.record = {};
  for (ScaleConfig& scale : config.scales) {
    scale.embedding = embedding_width(scale);
    scale.stack.block = scale.stack.block.kind().with_defaults(scale.stack);
    scale.stack.dropout = 0;
    scale.stack.recompute = false;
  }
  return config;
}

bool same_structure(const ModelConfig& a, const ModelConfig& b) {
  ModelConfig one = structure_of(a), other = structure_of(b);
  one.length = other.length;
  return one == other;
}

}  // namespace megalith

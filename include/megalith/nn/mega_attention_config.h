// SPDX-License-Identifier: Apache-2.0
// The numbers and options of MEGA's attention.
#pragma once

#include "megalith/kernels/attention_function.h"
#include "megalith/nn/norm_kind.h"
#include "megalith/nn/relative_bias.h"

namespace megalith {

struct MegaAttentionConfig {
  Index width = 512;         // D
  Index qk_width = 128;      // Z
  Index value_width = 1024;  // E
  Index chunk = 2048;
  Index states = 16;  // N of the average
  AttentionFunction function = AttentionFunction::softmax;
  RelativeBiasKind relative_bias = RelativeBiasKind::rotary;
  double rotary_base = 10000;
  bool pre_norm = true;
  NormKind norm = NormKind::layer;
  bool bias = true;    // of the linear layers
  double dropout = 0;  // of the candidate
};

}  // namespace megalith

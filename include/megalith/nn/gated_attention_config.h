// SPDX-License-Identifier: Apache-2.0
// The numbers and options of gated attention.
#pragma once

#include "megalith/kernels/attention_input.h"
#include "megalith/nn/moving_average.h"
#include "megalith/nn/sequence_norm.h"

namespace megalith {

struct GatedAttentionConfig {
  Index width = 512;  // D
  AttentionShape shape{};
  SequenceNormKind norm = SequenceNormKind::timestep;
  Index groups = 16;  // of the timestep norm
  AverageKind average = AverageKind::complex;
  Index states = 16;       // of the average
  bool normalized = true;  // queries and keys
  bool gated = true;
  double rotary_base = 0;  // 0: no rotation
  bool bias = true;
};

}  // namespace megalith

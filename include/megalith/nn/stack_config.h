// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of a stack of transformer blocks.
#pragma once

#include "megalith/core/shape.h"
#include "megalith/kernels/activation.h"

namespace megalith {

enum class NormKind { layer, rms };
/// learned: a trained vector for each position, added to the embeddings. rotary: queries and keys are rotated by their
/// position (Su et al. 2021). none: the causal mask is the only signal.
enum class PositionKind { learned, rotary, none };
/// A stack of pre-norm transformer blocks.
struct StackConfig {
  Index width = 512;  // C
  Index layers = 6;   // L
  Index heads = 8;    // H, divides width
  Index hidden = 0;   // F; 0 means 4 * width (SwiGLU: 8/3 * width, rounded up to 8)
  Index window = 0;   // W: each position sees itself and W - 1 before it; 0 means all
  NormKind norm = NormKind::layer;
  Activation activation = Activation::relu;
  PositionKind positions = PositionKind::learned;
  double rotary_base = 10000;
  bool qk_norm = false;  // RMSNorm of queries and keys over the head width
  bool bias = true;      // of the linear layers
  double dropout = 0;    // of each residual branch, in training
  /// Keeps only what the attention of each block gave, and computes the rest again in backward: half of the memory and a
  /// fourth more time. The result has the same bits.
  bool recompute = false;

  bool operator==(const StackConfig&) const = default;
};

/// F: the feed-forward width of a stack, its default filled in.
inline Index hidden_width(const StackConfig& c) {
  if (c.hidden > 0) return c.hidden;
  return c.activation == Activation::swiglu ? (c.width * 8 / 3 + 7) / 8 * 8 : 4 * c.width;
}

}  // namespace megalith

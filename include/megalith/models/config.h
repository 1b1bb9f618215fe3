// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of a byte model. What has another structure is another type (models/flat.h, models/patched.h).
#pragma once

#include <string>
#include <vector>

#include "megalith/core/shape.h"

namespace megalith {

enum class NormKind { layer, rms };
enum class Activation { relu, gelu, relu_squared, swiglu };
/// learned: a trained vector for each position, added to the embeddings. rotary: queries and keys are rotated by their
/// position (Su et al. 2021). none: the causal mask is the only signal.
enum class PositionKind { learned, rotary, none };
/// What stands for the unit before the first position of a decoder: the trained pad (Yu et al. 2023, eq. 4), or the true
/// bytes that came before where there are any.
enum class FirstInput { pad, previous };

/// A stack of pre-norm transformer blocks.
struct StackConfig {
  Index width = 512;   // C
  Index layers = 6;    // L
  Index heads = 8;     // H, divides width
  Index hidden = 0;    // F; 0 means 4 * width (SwiGLU: the nearest multiple of 8 to 8/3 * width)
  Index window = 0;    // W: each position sees itself and W - 1 before it; 0 means all
  NormKind norm = NormKind::layer;
  Activation activation = Activation::relu;
  PositionKind positions = PositionKind::learned;
  double rotary_base = 10000;
  bool qk_norm = false;  // RMSNorm of queries and keys over the head width
  bool bias = true;      // of the linear layers
  double dropout = 0;    // of each residual branch, in training

  bool operator==(const StackConfig&) const = default;
};

/// One scale of a decoder: a stack whose positions stand for `unit` bytes each.
struct ScaleConfig {
  Index unit = 1;       // bytes per position: P for MEGABYTE's global scale, 1 for the innermost
  Index embedding = 0;  // width of one byte's embedding, D_G; 0 means width / unit. Another value: a linear patch embedder
  FirstInput first_input = FirstInput::pad;
  StackConfig stack{};

  bool operator==(const ScaleConfig&) const = default;
};

/// A whole model: scales from the outermost to the innermost. One scale is the vanilla byte transformer, two are MEGABYTE.
struct ModelConfig {
  Index length = 1024;  // T: bytes in a training window; every unit divides it
  std::vector<ScaleConfig> scales;
  bool tied = true;        // the innermost byte table is also the output matrix
  double soft_cap = 0;     // logits z become cap * tanh(z / cap); 0 means none
  double init_std = 0.02;  // of weights and tables; 0 means 1/sqrt(inputs) for weights
  double residual_init = 1;  // factor on the last projection of each residual branch; 0 starts branches as the identity

  bool operator==(const ModelConfig&) const = default;

  /// Throws Error with every problem at once, a sentence each, naming fields as in JSON (`scales[0].stack.heads`).
  void validate() const;
};

}  // namespace megalith

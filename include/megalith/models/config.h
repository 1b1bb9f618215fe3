// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of a byte model. What has another structure is another type (models/flat.h, models/patched.h).
#pragma once

#include <string>
#include <vector>

#include "megalith/nn/stack_config.h"

namespace megalith {

class Problems;

/// What stands for the unit before the first position of a decoder: the trained pad (Yu et al. 2023, eq. 4), or the true
/// bytes that came before where there are any.
enum class FirstInput { pad, previous };

/// One scale of a decoder: a stack whose positions stand for `unit` bytes each.
struct ScaleConfig {
  Index unit = 1;       // bytes per position: P for MEGABYTE's global scale, 1 for the innermost
  Index embedding = 0;  // width of one byte's embedding, D_G; 0 means width / unit. Another value: a linear patch embedder
  FirstInput first_input = FirstInput::pad;
  StackConfig stack{};

  bool operator==(const ScaleConfig&) const = default;
};

/// D_G: the width of one byte's embedding at a scale, its default filled in.
inline Index embedding_width(const ScaleConfig& c) { return c.embedding > 0 ? c.embedding : c.stack.width / c.unit; }

/// Whether units are embedded by a linear layer (unit * D_G -> width) instead of by concatenation alone.
inline bool has_patch_embedder(const ScaleConfig& c) { return embedding_width(c) * c.unit != c.stack.width; }

/// A whole model: scales from the outermost to the innermost. One scale is the vanilla byte transformer, two are MEGABYTE.
struct ModelConfig {
  Index length = 1024;  // T: bytes in a training window; every unit divides it
  std::vector<ScaleConfig> scales{};
  bool tied = true;     // the innermost byte table is also the output matrix
  double soft_cap = 0;  // logits z become cap * tanh(z / cap); 0 means none
  // First values. The defaults learn much faster than the customary 0.02 and 1, which a short run hardly gets away from
  // (bench/README.md has the figures).
  double init_std = 0;       // of weights and tables; 0 means 1/sqrt(inputs)
  double residual_init = 0;  // factor on what branches add: the last projection of each residual branch, and the condition
                             // of an inner decoder; 0 starts every branch as the identity

  bool operator==(const ModelConfig&) const = default;

  /// Throws Error with every problem at once, a sentence each, naming fields as in JSON (`scales[0].stack.heads`).
  void validate() const;
  /// Adds those sentences.
  void list_problems(Problems& problems) const;
};

/// Bytes in a window of the decoder at `scale`: the model's length for the outermost, else the unit of the one around it.
inline Index window_bytes(const ModelConfig& c, std::size_t scale) {
  return scale == 0 ? c.length : c.scales[scale - 1].unit;
}

/// What people know a model by: `6 layers of width 512 over patches of 8 bytes, 2 layers of width 256 over bytes, windows of
/// 1024 bytes`.
std::string in_words(const ModelConfig& config);

}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of a byte model. What has another structure is another type (models/flat.h, models/patched.h).
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "megalith/models/record.h"
#include "megalith/nn/stack_config.h"

namespace megalith {

class Problems;

/// What stands for the patch before the first position of a decoder: the trained pad (Yu et al. 2023, eq. 4), or the true
/// bytes that came before where there are any.
enum class FirstInput { pad, previous };
template <>
inline constexpr std::array<std::string_view, 2> kNames<FirstInput>{"pad", "previous"};

/// One scale of a decoder: a stack whose positions stand for patches of bytes.
struct ScaleConfig {
  Index patch = 1;           // P: bytes per position; 1 for the innermost scale
  Index embedding = 0;       // E: width of one byte's embedding; 0 means width / patch. Another value: patches are projected
  bool convolution = false;  // of the embeddings, before they are cut into patches (Yu et al. 2023, 2.3.1)
  FirstInput first_input = FirstInput::pad;
  /// r: in every layer, the positions of a patch of the decoder around see the last r positions of the patch before too
  /// (Yu et al. 2023, 2.3.2, "cross-patch attention"); up to the positions in a patch. 0 for the outermost scale.
  Index cross_patch = 0;
  StackConfig stack{};

  bool operator==(const ScaleConfig&) const = default;

  /// Of files of format version 1.
  static constexpr std::array<std::pair<const char*, const char*>, 1> kOldNames{{{"unit", "patch"}}};
  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("patch", c.patch);
    f("embedding", c.embedding);
    f("convolution", c.convolution);
    f("first_input", c.first_input);
    f("cross_patch", c.cross_patch);
    f("stack", c.stack);
  }
};

/// E: the width of one byte's embedding at a scale, its default filled in.
inline Index embedding_width(const ScaleConfig& c) { return c.embedding > 0 ? c.embedding : c.stack.width / c.patch; }

/// Whether patches are projected (P * E -> width) instead of being concatenated embeddings alone.
inline bool has_patch_projection(const ScaleConfig& c) { return embedding_width(c) * c.patch != c.stack.width; }

/// A whole model: scales from the outermost to the innermost. One scale is flat, with blocks of the kind "transformer" the
/// vanilla byte transformer, of the kind "perceiver" Perceiver AR; two are MEGABYTE.
struct ModelConfig {
  Index length = 1024;  // T: bytes in a training window; every patch divides it
  std::vector<ScaleConfig> scales{};
  RecordConfig record{};  // where windows begin, and in what order their bytes are read
  bool tied = true;       // the innermost byte table is also the output matrix
  double soft_cap = 0;    // logits z become cap * tanh(z / cap); 0 means none
  // First values. The defaults learn much faster than the customary 0.02 and 1, which a short run hardly gets away from
  // (bench/README.md has the figures).
  double init_std = 0;       // of weights and tables; 0 means 1/sqrt(inputs)
  double residual_init = 0;  // factor on what branches add: the last projection of each residual branch, and the condition
                             // of an inner decoder; 0 starts every branch as the identity

  bool operator==(const ModelConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("length", c.length);
    f("scales", c.scales);
    f("record", c.record);
    f("tied", c.tied);
    f("soft_cap", c.soft_cap);
    f("init_std", c.init_std);
    f("residual_init", c.residual_init);
  }

  /// Throws Error with every problem at once, a sentence each, naming fields as in JSON
  /// (`scales[0].stack.transformer.heads`).
  void validate() const;
  /// Adds those sentences.
  void list_problems(Problems& problems) const;
};

/// Bytes in a window of the decoder at `scale`: the model's length for the outermost, else the patch of the one around it.
inline Index window_bytes(const ModelConfig& c, std::size_t scale) {
  return scale == 0 ? c.length : c.scales[scale - 1].patch;
}

/// Positions of the stack at `scale` that make a patch of the decoder around it, where these follow one another in one
/// sequence; 0 where each is a sequence of its own.
inline Index chunk_of(const ModelConfig& c, std::size_t scale) {
  return scale > 0 && c.scales[scale].cross_patch > 0 ? c.scales[scale - 1].patch / c.scales[scale].patch : 0;
}
/// The stack's config at a scale, with what the decoder around it says.
inline StackConfig stack_config(const ModelConfig& c, std::size_t scale) {
  StackConfig stack = c.scales[scale].stack;
  stack.chunk = chunk_of(c, scale);
  stack.overlap = c.scales[scale].cross_patch;
  return stack;
}

/// What people know a model by: `6 layers of width 512 over patches of 8 bytes, 2 layers of width 256 over bytes, windows of
/// 1024 bytes`, and its records where it has any.
std::string in_words(const ModelConfig& config);
/// The same without the windows.
std::string stacks_in_words(const ModelConfig& config);

}  // namespace megalith

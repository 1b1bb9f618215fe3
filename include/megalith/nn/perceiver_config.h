// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of Perceiver AR's blocks.
#pragma once

#include <string_view>

#include "megalith/nn/transformer_config.h"

namespace megalith {

template <class S>
struct PerceiverBlock;

/// Perceiver AR (Hawthorne et al. 2022): layer 0 of a stack attends to all that came before, the other layers are
/// transformer blocks over chunks of N positions, the latents, each of which sees its own chunk. The last N positions of a
/// window of T compute what the paper's model computes of it with its N latents; where N divides T, all T/N chunks of a
/// window are as many windows of the paper's, scored at once.
struct PerceiverConfig {
  static constexpr const char* kKind = "perceiver";
  template <class S>
  using Block = PerceiverBlock<S>;

  Index latents = 256;  // N, divides the positions of a window
  /// Positions at the end of a training window whose bytes are predicted, rounded up to whole chunks; of those before them
  /// only keys and values of layer 0 are computed. 0: all. With N it is the training of the paper.
  Index predicted = 0;
  TransformerConfig layer{};  // all but its window

  bool operator==(const PerceiverConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("latents", c.latents);
    f("predicted", c.predicted);
    TransformerConfig::visit_fields(c.layer, [&](const char* name, auto& value) {
      if (std::string_view(name) != "window") f(name, value);
    });
  }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;
  PerceiverConfig with_defaults(const StackConfig& stack) const;
};

// Compiled once, in src/nn/perceiver_block.cpp.
extern template const BlockKind& block_kind_of<PerceiverConfig>();

}  // namespace megalith

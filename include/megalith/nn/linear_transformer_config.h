// SPDX-License-Identifier: Apache-2.0
// The linear transformer block's numbers and flavours.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/nn/block_config.h"
#include "megalith/nn/norm_kind.h"

namespace megalith {

template <class S>
struct LinearTransformerBlock;

/// The transformer block with linear attention in place of softmax attention (Katharopoulos et al. 2020): cost and memory of
/// a position do not grow with what came before.
struct LinearTransformerConfig {
  static constexpr const char* kKind = "linear_transformer";
  template <class S>
  using Block = LinearTransformerBlock<S>;

  Index heads = 8;   // H, divides the stack's width
  Index hidden = 0;  // F; 0 means 4 * width (gated: 8/3 * width, rounded up to 8)
  NormKind norm = NormKind::layer;
  Activation activation = Activation::relu;
  double rotary_base = 10000;  // where the stack's positions are rotary

  bool operator==(const LinearTransformerConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("heads", c.heads);
    f("hidden", c.hidden);
    f("norm", c.norm);
    f("activation", c.activation);
    f("rotary_base", c.rotary_base);
  }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;

  /// With defaults filled in, and 0 for what a block of that stack does not use.
  LinearTransformerConfig with_defaults(const StackConfig& stack) const;
  /// F of a stack of that width, its default filled in.
  Index hidden_width(Index width) const;
};

// Compiled once, in src/nn/linear_transformer_block.cpp.
extern template const BlockKind& block_kind_of<LinearTransformerConfig>();

}  // namespace megalith

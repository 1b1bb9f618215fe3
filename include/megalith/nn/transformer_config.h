// SPDX-License-Identifier: Apache-2.0
// The transformer block's numbers and flavours.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/nn/block_config.h"
#include "megalith/nn/norm_kind.h"

namespace megalith {

template <class S>
struct TransformerBlock;

/// The pre-norm transformer block, from Vaswani et al. 2017 to what has proved better since.
struct TransformerConfig {
  static constexpr const char* kKind = "transformer";
  static constexpr bool kChunks = true;
  template <class S>
  using Block = TransformerBlock<S>;

  Index heads = 8;  // H, divides the stack's width
  Index kv_heads =
      0;             // heads of keys and values, each shared by a group of query heads (Ainslie et al. 2023); 0 means heads
  Index hidden = 0;  // F; 0 means 4 * width (gated: 8/3 * width, rounded up to 8)
  Index window = 0;  // W: each position sees itself and W - 1 before it; 0 means all
  NormKind norm = NormKind::layer;
  Activation activation = Activation::relu;
  double rotary_base = 10000;  // where the stack's positions are rotary
  bool qk_norm = false;        // RMSNorm of queries and keys over the head width

  bool operator==(const TransformerConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("heads", c.heads);
    f("kv_heads", c.kv_heads);
    f("hidden", c.hidden);
    f("window", c.window);
    f("norm", c.norm);
    f("activation", c.activation);
    f("rotary_base", c.rotary_base);
    f("qk_norm", c.qk_norm);
  }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;
  /// The same where the fields are named `own`NAME.
  void list_problems_of(const StackConfig& stack, const std::string& at, const std::string& own, Problems& problems) const;

  /// With defaults filled in, and 0 for what a block of that stack does not use.
  TransformerConfig with_defaults(const StackConfig& stack) const;
  /// F of a stack of that width, its default filled in.
  Index hidden_width(Index width) const;
};

// Compiled once, in src/nn/transformer_block.cpp.
extern template const BlockKind& block_kind_of<TransformerConfig>();

}  // namespace megalith

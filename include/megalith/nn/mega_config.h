// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of MEGA's blocks.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/kernels/attention_function.h"
#include "megalith/nn/block_config.h"
#include "megalith/nn/norm_kind.h"
#include "megalith/nn/relative_bias.h"

namespace megalith {

template <class S>
struct MegaBlock;

/// MEGA (Ma et al. 2022): attention of one head in chunks, between the outputs of a real moving average, whose state carries
/// what came before the chunk, and two gates; then a feed-forward layer. A stack's `recompute` spares the hidden layer of
/// that. Distances are told by `relative_bias`, so the stack's positions are `none`, or learned ones beside it.
struct MegaConfig {
  static constexpr const char* kKind = "mega";
  template <class S>
  using Block = MegaBlock<S>;

  Index qk_width = 0;     // Z; 0 means width / 4, rounded up to an even number
  Index value_width = 0;  // E; 0 means 2 * width
  Index hidden = 0;       // F of the feed-forward layer; 0 means 2 * width, as the paper's model of enwik8 has it
  Index chunk = 2048;     // c: positions that attention sees at once
  Index states = 16;      // N of the average, for each channel
  AttentionFunction attention = AttentionFunction::softmax;
  RelativeBiasKind relative_bias = RelativeBiasKind::rotary;
  double rotary_base = 10000;  // of a rotary bias
  bool pre_norm = true;        // else each half ends with its norm, and the stack with none
  NormKind norm = NormKind::layer;
  Activation activation = Activation::silu;

  bool operator==(const MegaConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("qk_width", c.qk_width);
    f("value_width", c.value_width);
    f("hidden", c.hidden);
    f("chunk", c.chunk);
    f("states", c.states);
    f("attention", c.attention);
    f("relative_bias", c.relative_bias);
    f("rotary_base", c.rotary_base);
    f("pre_norm", c.pre_norm);
    f("norm", c.norm);
    f("activation", c.activation);
  }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;
  /// With defaults filled in, and 0 for what a block of that stack does not use.
  MegaConfig with_defaults(const StackConfig& stack) const;
};

// Compiled once, in src/nn/mega_block.cpp.
extern template const BlockKind& block_kind_of<MegaConfig>();

}  // namespace megalith

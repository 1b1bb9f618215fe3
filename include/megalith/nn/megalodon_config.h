// SPDX-License-Identifier: Apache-2.0
// The numbers and flavours of MEGALODON's blocks.
#pragma once

#include "megalith/kernels/activation.h"
#include "megalith/nn/block_config.h"
#include "megalith/nn/moving_average.h"
#include "megalith/nn/sequence_norm.h"

namespace megalith {

template <class S>
struct MegalodonBlock;

/// MEGALODON (Ma et al. 2024): gated attention in chunks behind a moving average, whose state and the timestep norm's carry
/// what came before the chunk. Each of its parts is a setting. A stack's `recompute` spares the hidden layer of the
/// feed-forward half.
struct MegalodonConfig {
  static constexpr const char* kKind = "megalodon";
  template <class S>
  using Block = MegalodonBlock<S>;

  Index heads = 1;        // H
  Index qk_width = 0;     // S, of all heads together; 0 means width / 4
  Index value_width = 0;  // E, of all heads together; 0 means 2 * width
  Index hidden = 0;       // F of the feed-forward layer; 0 means 4 * width (gated: 8/3 * width, rounded up to 8)
  Index chunk = 2048;     // c: positions that attention sees at once
  Index states = 16;      // N of the average, for each channel
  Index groups = 0;       // G of the timestep norm; 0 means as many as have 32 channels or more
  SequenceNormKind norm = SequenceNormKind::timestep;
  AverageKind average = AverageKind::complex;
  bool normalized = true;  // queries and keys
  bool gated = true;
  bool two_hop = true;   // the feed-forward layer's residual comes from the block's input
  bool rescale = false;  // of what the feed-forward layer adds, a gain for each channel
  Activation activation = Activation::silu;
  double rotary_base = 10000;  // where the stack's positions are rotary

  bool operator==(const MegalodonConfig&) const = default;

  template <class C, class F>
  static void visit_fields(C& c, F&& f) {
    f("heads", c.heads);
    f("qk_width", c.qk_width);
    f("value_width", c.value_width);
    f("hidden", c.hidden);
    f("chunk", c.chunk);
    f("states", c.states);
    f("groups", c.groups);
    f("norm", c.norm);
    f("average", c.average);
    f("normalized", c.normalized);
    f("gated", c.gated);
    f("two_hop", c.two_hop);
    f("rescale", c.rescale);
    f("activation", c.activation);
    f("rotary_base", c.rotary_base);
  }
  void list_problems(const StackConfig& stack, const std::string& at, Problems& problems) const;
  /// With defaults filled in, and 0 for what a block of that stack does not use.
  MegalodonConfig with_defaults(const StackConfig& stack) const;
};

// Compiled once, in src/nn/megalodon_block.cpp.
extern template const BlockKind& block_kind_of<MegalodonConfig>();

}  // namespace megalith

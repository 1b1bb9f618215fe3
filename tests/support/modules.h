// SPDX-License-Identifier: Apache-2.0
// Every type of module in the library, in lists that the tests of tests/nn run over, each with the configs that it is tested
// with. A new module is one line in a list and a struct here; then it comes under every property of support/module_tests.h.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "megalith/nn/any_module.h"
#include "megalith/nn/linear_transformer_block.h"
#include "megalith/nn/megalodon_block.h"
#include "megalith/nn/perceiver_block.h"
#include "megalith/nn/stack.h"
#include "megalith/nn/transformer_block.h"
#include "support/adapters.h"
#include "support/layers.h"

namespace megalith::tests {

struct Attentions {
  static constexpr const char* name = "Attention";
  using Config = AttentionConfig;
  static std::vector<Case<Config>> cases() {
    return {
        {"plain", {.heads = 3}, 3},
        {"in a window", {.heads = 1, .mask = {.size = 3}, .bias = false}},
        {"in a wide window", {.heads = 2, .mask = {.size = 70}}, 2},
        {"in chunks with overlap", {.heads = 2, .mask = {.kind = MaskKind::chunk, .size = 4, .overlap = 2}}, 2},
        {"rotary", {.heads = 2, .rotary_base = 10000}, 4},
        {"rotary in a window with head norm",
         {.heads = 2, .mask = {.size = 4}, .rotary_base = 100, .qk_norm = true, .bias = false},
         4},
        {"rotary, grouped, with head norm, recomputing",
         {.heads = 6, .kv_heads = 2, .rotary_base = 100, .qk_norm = true, .recompute = true},
         12},
        {"of unlike widths", {.heads = 4, .kv_heads = 2, .key_width = 5, .value_width = 2, .scale = 0.6}},
    };
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.width = width;
    return Attention<S>(c);
  }
};

struct LinearAttentions {
  static constexpr const char* name = "LinearAttention";
  using Config = LinearAttentionConfig;
  static std::vector<Case<Config>> cases() {
    return {{"plain", {.heads = 3}, 3},
            {"of one head without biases, recomputing", {.heads = 1, .bias = false, .recompute = true}},
            {"rotary", {.heads = 2, .rotary_base = 100}, 4},
            {"rotary, of unlike widths, recomputing",
             {.heads = 3, .key_width = 6, .value_width = 5, .rotary_base = 10000, .recompute = true}}};
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.width = width;
    return LinearAttention<S>(c);
  }
};

struct Residuals {
  static constexpr const char* name = "Residual";
  using Config = NormKind;
  static std::vector<Case<Config>> cases() { return {{"with dropout", NormKind::layer}}; }
  template <class S>
  static auto make(NormKind kind, Index width) {
    const FeedForwardConfig branch{.width = width, .hidden = width + 1, .activation = Activation::gelu};
    return Residual<FeedForward<S>>(kind, FeedForward<S>(branch), 0.2);
  }
};

/// Blocks as the paper has them (but for GELU, which has no kink), and with everything that is newer.
inline StackConfig plain_blocks(bool recompute = false) {
  return {.layers = 2,
          .dropout = 0.1,
          .recompute = recompute,
          .block = TransformerConfig{.heads = 3, .activation = Activation::gelu}};
}
inline StackConfig modern_blocks(bool recompute = false) {
  return {.layers = 2,
          .positions = PositionKind::rotary,
          .bias = false,
          .dropout = 0.1,
          .recompute = recompute,
          .block = TransformerConfig{.heads = 2,
                                     .window = 5,
                                     .norm = NormKind::rms,
                                     .activation = Activation::swiglu,
                                     .rotary_base = 100,
                                     .qk_norm = true}};
}
template <class Settings = TransformerConfig>
StackConfig with_width(StackConfig c, Index width) {
  c.width = width;
  c.block.as<Settings>().hidden = 2 * width;
  return c;
}

struct Blocks {
  static constexpr const char* name = "TransformerBlock";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() {
    return {{"plain", plain_blocks(), 3, true},
            {"modern", modern_blocks(), 4, true},
            {"modern, recomputing", modern_blocks(true), 4, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return TransformerBlock<S>(with_width(c, width));
  }
};
struct PerceiverBlocks {
  static constexpr const char* name = "PerceiverBlock";
  struct Config {
    StackConfig stack{};
    Index layer = 0;
  };
  static std::vector<Case<Config>> cases() {
    return {{"first, plain", {of(plain_blocks()), 0}, 3, true},
            {"first, modern", {of(modern_blocks()), 0}, 4, true},
            {"first, grouped, recomputing", {of(modern_blocks(true), 1), 0}, 4, true},
            {"later, modern", {of(modern_blocks()), 1}, 4, true}};
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.stack.width = width;
    c.stack.block.as<PerceiverConfig>().layer.hidden = 2 * width;
    return PerceiverBlock<S>(c.stack, c.layer);
  }

 private:
  static StackConfig of(StackConfig stack, Index kv_heads = 0) {
    PerceiverConfig block{.latents = 3, .layer = stack.block.as<TransformerConfig>()};
    block.layer.kv_heads = kv_heads;
    block.layer.window = 0;
    stack.block = block;
    return stack;
  }
};
struct LinearBlocks {
  static constexpr const char* name = "LinearTransformerBlock";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() {
    const StackConfig modern{.positions = PositionKind::rotary,
                             .bias = false,
                             .dropout = 0.1,
                             .recompute = true,
                             .block = LinearTransformerConfig{
                                 .heads = 2, .norm = NormKind::rms, .activation = Activation::swiglu, .rotary_base = 100}};
    return {{"plain", {.block = LinearTransformerConfig{.heads = 3, .activation = Activation::gelu}}, 3, true},
            {"modern, recomputing", modern, 4, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return LinearTransformerBlock<S>(with_width<LinearTransformerConfig>(c, width));
  }
};
struct MegalodonBlocks {
  static constexpr const char* name = "MegalodonBlock";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() {
    const StackConfig paper{.positions = PositionKind::rotary,
                            .dropout = 0.1,
                            .block = MegalodonConfig{.heads = 2,
                                                     .qk_width = 8,
                                                     .value_width = 12,
                                                     .chunk = 4,
                                                     .states = 3,
                                                     .groups = 2,
                                                     .activation = Activation::swiglu}};
    const StackConfig one_hop{.bias = false,
                              .recompute = true,
                              .block = MegalodonConfig{.qk_width = 4,
                                                       .value_width = 6,
                                                       .chunk = 70,
                                                       .states = 2,
                                                       .norm = SequenceNormKind::rms,
                                                       .two_hop = false,
                                                       .rescale = true}};
    const StackConfig plain{.dropout = 0.1,
                            .block = MegalodonConfig{.qk_width = 5,
                                                     .value_width = 7,
                                                     .chunk = 4,
                                                     .states = 2,
                                                     .norm = SequenceNormKind::layer,
                                                     .average = AverageKind::real,
                                                     .normalized = false,
                                                     .gated = false}};
    const StackConfig no_average{
        .positions = PositionKind::rotary,
        .block = MegalodonConfig{.heads = 2, .qk_width = 4, .value_width = 4, .groups = 1, .average = AverageKind::none}};
    return {{"as the paper has it", paper, 4, true},
            {"one hop, rescaled", one_hop, 4, true},
            {"real average, plain queries, no gate", plain, 1, true},
            {"no average", no_average, 2, true}};
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.width = width;
    c.block.as<MegalodonConfig>().hidden = 2 * width;
    return MegalodonBlock<S>(c, 1);
  }
};
struct Stacks {
  static constexpr const char* name = "Stack";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() {
    return {{"plain", plain_blocks(), 3, true}, {"modern, recomputing", modern_blocks(true), 4, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return Stack<TransformerBlock<S>>(with_width(c, width));
  }
};
struct AnyModules {
  static constexpr const char* name = "AnyModule";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() { return {{"of a plain block", plain_blocks(), 3, true}}; }
  template <class S>
  static auto make(const Config& c, Index width) {
    return AnyModule<S>(TransformerBlock<S>(with_width(c, width)));
  }
};

struct Embedders {
  static constexpr const char* name = "PatchEmbedder";
  struct Config {
    Index patch = 1;
    bool convolves = false;
    bool projects = false;
    PositionOf position_of = PositionOf::byte;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of bytes", {1, false, false, PositionOf::row}},
            {"of patches", {3, false, false, PositionOf::byte}, 3},
            {"of patches, projected", {2, false, true, PositionOf::byte}},
            {"of patches, convolved", {3, true, false, PositionOf::byte}, 3, true},
            {"of patches, convolved and projected", {2, true, true, PositionOf::byte}, 1, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return EmbedderModule<S>(c.patch, c.convolves, c.projects, c.position_of, width);
  }
};
struct Heads {
  static constexpr const char* name = "SoftmaxHead";
  struct Config {
    bool tied = false;
    double soft_cap = 0;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of its own", {false, 0}, 1, true}, {"tied, with a soft cap", {true, 1.5}, 1, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return HeadModule<S>(width, c.tied, c.soft_cap);
  }
};

// Several lists, so that several files compile at once.
using LayerTypes = ::testing::Types<Linears, LayerNorms, RmsNorms, Norms, Dropouts, FeedForwards, Residuals, Heads>;
using ConvolutionTypes = ::testing::Types<Convolutions, PatchConvolutions, Embedders>;
using MegalodonTypes = ::testing::Types<MegalodonBlocks>;
using EmaTypes = ::testing::Types<ComplexEmas, RealEmas, TimestepNorms>;
using AttentionTypes = ::testing::Types<Attentions>;
using LinearAttentionTypes = ::testing::Types<LinearAttentions, LinearBlocks>;
using BlockTypes = ::testing::Types<Blocks, Stacks, AnyModules>;
using PerceiverTypes = ::testing::Types<PerceiverBlocks>;

struct TypeName {
  template <class Type>
  static std::string GetName(int) {
    return Type::name;
  }
};

}  // namespace megalith::tests

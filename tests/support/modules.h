// SPDX-License-Identifier: Apache-2.0
// Every type of module in the library, in lists that the tests of tests/nn run over, each with the configs that it is tested
// with. A new module is one line in a list and a struct here; then it comes under every property of support/module_tests.h.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "megalith/nn/any_module.h"
#include "megalith/nn/linear_transformer_block.h"
#include "megalith/nn/stack.h"
#include "megalith/nn/transformer_block.h"
#include "support/adapters.h"

namespace megalith::tests {

/// A config that a module is tested with.
template <class Config>
struct Case {
  std::string name;
  Config config{};
  Index width_step = 1;  // widths that the module can have are multiples of it
  /// Float is compared at few sizes: the module is slow, or its derivative jumps, and float may fall on another side than
  /// double.
  bool light = false;
};

/// Makes the module of a case at some width: what the checks of testing/ take. It is one type for all configs of a module,
/// so the checks are compiled once for each module.
template <class Type>
struct MakerOf {
  typename Type::Config config{};
  Index width = 12;

  template <class S>
  auto operator()() const {
    return Type::template make<S>(config, width);
  }
};

struct Linears {
  static constexpr const char* name = "Linear";
  struct Config {
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() { return {{"with bias", {true}}, {"without bias", {false}}}; }
  template <class S>
  static auto make(const Config& c, Index width) {
    return Linear<S>(width, width + 3, c.bias);
  }
};

struct Convolutions {
  static constexpr const char* name = "CausalConvolution";
  struct Config {
    Index width = 3;
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() {
    return {{"of three rows", {3, true}}, {"of seven rows without bias", {7, false}}, {"of one row", {1, true}}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return CausalConvolution<S>(c.width, width, width + 3, c.bias);
  }
};
struct PatchConvolutions {
  static constexpr const char* name = "PatchConvolution";
  struct Config {
    bool bias = true;
  };
  static std::vector<Case<Config>> cases() { return {{"with biases", {true}, 1, true}, {"without", {false}, 1, true}}; }
  template <class S>
  static auto make(const Config& c, Index width) {
    return PatchConvolution<S>(width, c.bias);
  }
};

struct NoConfig {};

template <template <class> class Norm>
struct NormsOf {
  using Config = NoConfig;
  static std::vector<Case<Config>> cases() { return {{"plain"}}; }
  template <class S>
  static auto make(const Config&, Index width) {
    return Norm<S>(width);
  }
};
struct LayerNorms : NormsOf<LayerNorm> {
  static constexpr const char* name = "LayerNorm";
};
struct RmsNorms : NormsOf<RmsNorm> {
  static constexpr const char* name = "RmsNorm";
};
struct Norms {
  static constexpr const char* name = "Norm";
  using Config = NormKind;
  static std::vector<Case<Config>> cases() { return {{"layer", NormKind::layer}, {"rms", NormKind::rms}}; }
  template <class S>
  static auto make(NormKind kind, Index width) {
    return Norm<S>(kind, width);
  }
};

struct Dropouts {
  static constexpr const char* name = "Dropout";
  using Config = double;
  static std::vector<Case<Config>> cases() { return {{"of 0.3", 0.3}}; }
  template <class S>
  static auto make(double rate, Index width) {
    return Dropout<S>(rate, width);
  }
};

struct FeedForwards {
  static constexpr const char* name = "FeedForward";
  using Config = FeedForwardConfig;
  static std::vector<Case<Config>> cases() {
    std::vector<Case<Config>> all;
    for (std::size_t i = 0; i < ActivationList::kNames.size(); ++i) {
      const auto kind = static_cast<Activation>(i);
      // Gated ones are tested without biases, as they are used, and computed again in backward.
      all.push_back({std::string(ActivationList::kNames[i]),
                     {.activation = kind, .bias = !is_gated(kind), .recompute = is_gated(kind)},
                     1,
                     kind == Activation::relu});
    }
    return all;
  }
  template <class S>
  static auto make(Config c, Index width) {
    c.width = width;
    c.hidden = 2 * width + 3;
    return FeedForward<S>(c);
  }
};

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

// Some lists, so that as many files compile at once.
using LayerTypes = ::testing::Types<Linears, LayerNorms, RmsNorms, Norms, Dropouts, FeedForwards, Residuals, Heads>;
using ConvolutionTypes = ::testing::Types<Convolutions, PatchConvolutions, Embedders>;
using AttentionTypes = ::testing::Types<Attentions>;
using LinearAttentionTypes = ::testing::Types<LinearAttentions, LinearBlocks>;
using BlockTypes = ::testing::Types<Blocks, Stacks, AnyModules>;

struct TypeName {
  template <class Type>
  static std::string GetName(int) {
    return Type::name;
  }
};

}  // namespace megalith::tests

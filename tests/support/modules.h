// SPDX-License-Identifier: Apache-2.0
// Every module of the library, in lists that the tests of tests/nn run over. A new module is one line in a list and a maker
// here; then it comes under every property of support/module_tests.h.
#pragma once

#include <gtest/gtest.h>

#include "megalith/nn/attention.h"
#include "megalith/nn/dropout.h"
#include "megalith/nn/feed_forward.h"
#include "megalith/nn/layer_norm.h"
#include "megalith/nn/linear.h"
#include "megalith/nn/norm.h"
#include "megalith/nn/recompute.h"
#include "megalith/nn/residual.h"
#include "megalith/nn/rms_norm.h"
#include "megalith/nn/stack.h"
#include "megalith/nn/transformer_block.h"

namespace megalith::tests {

/// What every maker has: a width that tests change, in steps that the module can take.
struct Sized {
  Index width = 12;
  static constexpr Index kWidthStep = 1;
  /// Float is compared at few sizes: the module is slow, or its derivative jumps, and float may fall on another side than
  /// double.
  static constexpr bool kLight = false;
};

struct LinearCase : Sized {
  static constexpr const char* name = "Linear";
  template <class S>
  auto operator()() const {
    return Linear<S>(width, width + 3, true);
  }
};
struct LinearWithoutBiasCase : Sized {
  static constexpr const char* name = "LinearWithoutBias";
  template <class S>
  auto operator()() const {
    return Linear<S>(width, width + 3, false);
  }
};
struct LayerNormCase : Sized {
  static constexpr const char* name = "LayerNorm";
  template <class S>
  auto operator()() const {
    return LayerNorm<S>(width);
  }
};
struct RmsNormCase : Sized {
  static constexpr const char* name = "RmsNorm";
  template <class S>
  auto operator()() const {
    return RmsNorm<S>(width);
  }
};
struct NormCase : Sized {
  static constexpr const char* name = "Norm";
  template <class S>
  auto operator()() const {
    return Norm<S>(NormKind::rms, width);
  }
};
struct DropoutCase : Sized {
  static constexpr const char* name = "Dropout";
  template <class S>
  auto operator()() const {
    return Dropout<S>(0.3, width);
  }
};

template <Activation kind>
struct FeedForwardCase : Sized {
  static constexpr const char* name = kind == Activation::relu     ? "FeedForwardRelu"
                                      : kind == Activation::gelu   ? "FeedForwardGelu"
                                      : kind == Activation::swiglu ? "FeedForwardSwiGlu"
                                                                   : "FeedForwardReluSquared";
  static constexpr bool kLight = kind == Activation::relu;
  template <class S>
  auto operator()() const {
    return FeedForward<S>({.width = width, .hidden = 2 * width + 3, .activation = kind, .bias = kind != Activation::swiglu});
  }
};

struct AttentionCase : Sized {
  static constexpr const char* name = "Attention";
  static constexpr Index kWidthStep = 3;
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 3});
  }
};
struct WindowAttentionCase : Sized {
  static constexpr const char* name = "WindowAttention";
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 1, .mask = {.size = 3}, .bias = false});
  }
};
struct WideWindowAttentionCase : Sized {
  static constexpr const char* name = "WideWindowAttention";
  static constexpr Index kWidthStep = 2;
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 2, .mask = {.size = 70}});
  }
};
struct ChunkAttentionCase : Sized {
  static constexpr const char* name = "ChunkAttentionWithOverlap";
  static constexpr Index kWidthStep = 2;
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 2, .mask = {.kind = MaskKind::chunk, .size = 4, .overlap = 2}});
  }
};
struct RotaryAttentionCase : Sized {
  static constexpr const char* name = "RotaryAttention";
  static constexpr Index kWidthStep = 4;
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 2, .rotary_base = 10000});
  }
};
struct ModernAttentionCase : Sized {
  static constexpr const char* name = "RotaryWindowAttentionWithHeadNorm";
  static constexpr Index kWidthStep = 4;
  template <class S>
  auto operator()() const {
    return Attention<S>(
        {.width = width, .heads = 2, .mask = {.size = 4}, .rotary_base = 100, .qk_norm = true, .bias = false});
  }
};
struct GroupedAttentionCase : Sized {
  static constexpr const char* name = "RotaryGroupedAttentionWithHeadNorm";
  static constexpr Index kWidthStep = 12;
  template <class S>
  auto operator()() const {
    return Attention<S>(
        {.width = width, .heads = 6, .kv_heads = 2, .rotary_base = 100, .qk_norm = true, .recompute = true});
  }
};
struct UnlikeWidthsAttentionCase : Sized {
  static constexpr const char* name = "AttentionOfUnlikeWidths";
  template <class S>
  auto operator()() const {
    return Attention<S>({.width = width, .heads = 4, .kv_heads = 2, .key_width = 5, .value_width = 2, .scale = 0.6});
  }
};

struct ResidualCase : Sized {
  static constexpr const char* name = "Residual";
  template <class S>
  auto operator()() const {
    const StackConfig config{.width = width, .hidden = width + 1, .activation = Activation::gelu};
    return Residual<FeedForward<S>>(NormKind::layer, FeedForward<S>(config), 0.2);
  }
};

/// Blocks as the paper has them (but for GELU, which has no kink), and with everything that is newer.
inline StackConfig plain_blocks(Index width) {
  return {.width = width, .layers = 2, .heads = 3, .hidden = 2 * width, .activation = Activation::gelu, .dropout = 0.1};
}
inline StackConfig modern_blocks(Index width) {
  return {.width = width,
          .layers = 2,
          .heads = 2,
          .hidden = 2 * width,
          .window = 5,
          .norm = NormKind::rms,
          .activation = Activation::swiglu,
          .positions = PositionKind::rotary,
          .rotary_base = 100,
          .qk_norm = true,
          .bias = false,
          .dropout = 0.1};
}

struct TransformerBlockCase : Sized {
  static constexpr const char* name = "TransformerBlock";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 3;
  template <class S>
  auto operator()() const {
    return TransformerBlock<S>(plain_blocks(width));
  }
};
struct ModernBlockCase : Sized {
  static constexpr const char* name = "ModernTransformerBlock";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 4;
  template <class S>
  auto operator()() const {
    return TransformerBlock<S>(modern_blocks(width));
  }
};
struct RecomputingBlockCase : Sized {
  static constexpr const char* name = "RecomputingTransformerBlock";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 4;
  template <class S>
  auto operator()() const {
    StackConfig config = modern_blocks(width);
    config.recompute = true;
    return TransformerBlock<S>(config);
  }
};
struct RecomputeCase : Sized {
  static constexpr const char* name = "Recompute";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 3;
  template <class S>
  auto operator()() const {
    return Recompute<TransformerBlock<S>>(plain_blocks(width));
  }
};
struct StackCase : Sized {
  static constexpr const char* name = "Stack";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 3;
  template <class S>
  auto operator()() const {
    return Stack<TransformerBlock<S>>(plain_blocks(width));
  }
};
struct RecomputeStackCase : Sized {
  static constexpr const char* name = "StackOfRecompute";
  static constexpr bool kLight = true;
  static constexpr Index kWidthStep = 4;
  template <class S>
  auto operator()() const {
    return Stack<Recompute<TransformerBlock<S>>>(modern_blocks(width));
  }
};

// Three lists, so that three files compile at once.
using LayerCases = ::testing::Types<LinearCase, LinearWithoutBiasCase, LayerNormCase, RmsNormCase, NormCase, DropoutCase,
                                    FeedForwardCase<Activation::relu>, FeedForwardCase<Activation::gelu>,
                                    FeedForwardCase<Activation::relu_squared>, FeedForwardCase<Activation::swiglu>>;
using AttentionCases =
    ::testing::Types<AttentionCase, WindowAttentionCase, WideWindowAttentionCase, ChunkAttentionCase, RotaryAttentionCase,
                     ModernAttentionCase, GroupedAttentionCase, UnlikeWidthsAttentionCase>;
using BlockCases =
    ::testing::Types<ResidualCase, TransformerBlockCase, ModernBlockCase, RecomputingBlockCase, RecomputeCase, StackCase, RecomputeStackCase>;

struct CaseName {
  template <class Case>
  static std::string GetName(int) {
    return Case::name;
  }
};

}  // namespace megalith::tests

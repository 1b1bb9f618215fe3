// SPDX-License-Identifier: Apache-2.0
// Small decoders of every structure and option, for the checks of testing/decoder_check.h.
#pragma once

#include <string>
#include <vector>

#include "megalith/models/decoders.h"

namespace megalith::tests {

inline StackConfig small_stack(Index width, Index heads, Index layers) {
  StackConfig c;
  c.width = width;
  c.heads = heads;
  c.layers = layers;
  c.hidden = 2 * width;
  return c;
}

/// Every option away from its default.
inline StackConfig other_options(StackConfig c, Activation activation) {
  c.norm = NormKind::rms;
  c.activation = activation;
  c.positions = PositionKind::rotary;
  c.qk_norm = true;
  c.bias = false;
  return c;
}

inline ModelConfig vanilla_config() { return {.length = 24, .scales = {{.unit = 1, .stack = small_stack(8, 2, 2)}}}; }
inline ModelConfig vanilla_window_config() {
  ModelConfig c = vanilla_config();
  c.scales[0].stack = other_options(c.scales[0].stack, Activation::swiglu);
  c.scales[0].stack.window = 5;
  c.tied = false;
  c.soft_cap = 3;
  return c;
}
/// Equations (1) to (6), with dropout.
inline ModelConfig paper_config() {
  ModelConfig c{.length = 24,
                .scales = {{.unit = 4, .stack = small_stack(12, 3, 2)}, {.unit = 1, .stack = small_stack(8, 2, 2)}}};
  for (ScaleConfig& scale : c.scales) scale.stack.dropout = 0.2;
  return c;
}
inline ModelConfig options_config() {
  ModelConfig c = paper_config();
  c.scales[0].stack = other_options(small_stack(10, 1, 2), Activation::relu_squared);
  c.scales[0].embedding = 3;  // 4 * 3 is not 10: a linear patch embedder
  c.scales[1].stack = other_options(c.scales[1].stack, Activation::gelu);
  c.scales[1].first_input = FirstInput::previous;
  c.tied = false;
  c.soft_cap = 3;
  return c;
}
inline ModelConfig three_scale_config() {
  return {.length = 24,
          .scales = {{.unit = 8, .stack = small_stack(16, 2, 2)},
                     {.unit = 2, .first_input = FirstInput::previous, .stack = small_stack(12, 2, 1)},
                     {.unit = 1, .first_input = FirstInput::previous, .stack = small_stack(8, 2, 1)}}};
}
inline ModelConfig three_scale_pads_config() {
  ModelConfig c = three_scale_config();
  for (ScaleConfig& scale : c.scales) scale.first_input = FirstInput::pad;
  c.scales[1].stack = other_options(c.scales[1].stack, Activation::relu);
  return c;
}

/// A type whose call makes decoder D<S> of a config.
template <template <class> class D, ModelConfig (*config)()>
struct DecoderCase {
  template <class S>
  D<S> operator()() const {
    return D<S>(config(), 0);
  }
};

using VanillaCase = DecoderCase<Vanilla, vanilla_config>;
using VanillaWindowCase = DecoderCase<Vanilla, vanilla_window_config>;
using PaperCase = DecoderCase<Megabyte, paper_config>;
using OptionsCase = DecoderCase<Megabyte, options_config>;
using ThreeScaleCase = DecoderCase<ThreeScale, three_scale_config>;
using ThreeScalePadsCase = DecoderCase<ThreeScale, three_scale_pads_config>;

}  // namespace megalith::tests

// SPDX-License-Identifier: Apache-2.0
// Every property of a module, for MEGA's block with each of its functions, biases and orders of norms.
#include "megalith/nn/mega_block.h"
#include "support/module_tests.h"

namespace megalith::tests {

struct MegaBlocks {
  static constexpr const char* name = "MegaBlock";
  using Config = StackConfig;
  static std::vector<Case<Config>> cases() {
    const auto block = [](AttentionFunction attention, RelativeBiasKind bias, Index chunk) {
      return MegaConfig{
          .qk_width = 6, .value_width = 10, .chunk = chunk, .states = 3, .attention = attention, .relative_bias = bias};
    };
    StackConfig paper{.dropout = 0.1, .block = block(AttentionFunction::softmax, RelativeBiasKind::rotary, 200)};
    StackConfig laplace{
        .dropout = 0.1, .recompute = true, .block = block(AttentionFunction::laplace, RelativeBiasKind::simple, 70)};
    laplace.block.as<MegaConfig>().pre_norm = false;
    StackConfig relu{.bias = false, .block = block(AttentionFunction::relu_squared, RelativeBiasKind::none, 130)};
    relu.block.as<MegaConfig>().norm = NormKind::rms;
    relu.block.as<MegaConfig>().activation = Activation::swiglu;
    const StackConfig short_chunks{.block = block(AttentionFunction::laplace, RelativeBiasKind::rotary, 4)};
    StackConfig plain{.block = block(AttentionFunction::softmax, RelativeBiasKind::none, 4)};
    plain.block.as<MegaConfig>().qk_width = 5;
    return {{"softmax, rotary bias", paper, 1, true},
            {"Laplace, simple bias, norms last, recomputing", laplace, 1, true},
            {"squared ReLU, no bias", relu, 1, true},
            {"short chunks", short_chunks, 1, true},
            {"softmax, no bias", plain, 1, true}};
  }
  template <class S>
  static auto make(const Config& c, Index width) {
    return MegaBlock<S>(with_width<MegaConfig>(c, width));
  }
};

using MegaTypes = ::testing::Types<MegaBlocks>;
INSTANTIATE_TYPED_TEST_SUITE_P(Megas, ModuleTest, MegaTypes, TypeName);

}  // namespace megalith::tests

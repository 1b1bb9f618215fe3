// SPDX-License-Identifier: Apache-2.0
// Makers of decoders, and the checks of testing/decoder_check.h as GoogleTest has them.
#pragma once

#include <gtest/gtest.h>

#include "megalith/models/decoder_model.h"
#include "megalith/models/decoders.h"
#include "megalith/nn/linear_transformer_block.h"
#include "megalith/testing/decoder_streaming_check.h"
#include "support/configs.h"
#include "support/sanitized.h"

namespace megalith::tests {

/// Makes decoder D<S> of a config.
template <template <class> class D, std::size_t scales>
struct DecoderMaker {
  static constexpr std::size_t kScales = scales;
  ModelConfig config;
  template <class S>
  D<S> operator()() const {
    return D<S>(config, 0);
  }
};
using VanillaMaker = DecoderMaker<Vanilla, 1>;
using PerceiverArMaker = DecoderMaker<PerceiverAr, 1>;
using MegabyteMaker = DecoderMaker<Megabyte, 2>;
using ThreeScaleMaker = DecoderMaker<ThreeScale, 3>;

/// The linear transformer, alone and at both scales of MEGABYTE.
template <class S>
using LinearFlat = Flat<LinearTransformerBlock<S>>;
template <class S>
using LinearMegabyte = Patched<LinearTransformerBlock<S>, LinearFlat<S>>;
using LinearFlatMaker = DecoderMaker<LinearFlat, 1>;
using LinearMegabyteMaker = DecoderMaker<LinearMegabyte, 2>;

/// The decoders of make_model(), which are compiled in float alone.
template <class D, std::size_t scales>
struct AnyDecoderMaker {
  static constexpr std::size_t kScales = scales;
  ModelConfig config;
  template <std::same_as<float> S>
  D operator()() const {
    return D(config, 0);
  }
};
using AnyFlat = Flat<AnyModule<float>>;
using AnyPatched = Patched<AnyModule<float>, AnyFlat>;
using AnyFlatMaker = AnyDecoderMaker<AnyFlat, 1>;
using AnyPatchedMaker = AnyDecoderMaker<AnyPatched, 2>;
using AnyThreeScaleMaker = AnyDecoderMaker<Patched<AnyModule<float>, AnyPatched>, 3>;

using testing::Finding;
using testing::Trial;

constexpr double kExact = exact(1e-12);  // of sums that rounding alone tells apart

inline void expect_below(const Finding& found, double limit) { EXPECT_LT(found.error, limit) << found.where; }
inline void expect_equal_bits(const Finding& found) { EXPECT_EQ(found.error, 0) << found.where; }

/// f(maker) for each config of which the maker's decoder can be made.
template <class Maker, class F>
void for_each_config(F&& f) {
  using Decoder = decltype(std::declval<const Maker&>().template operator()<float>());
  for (const NamedConfig& c : unusual_configs(Maker::kScales)) {
    if (!detail::IsOfConfig<Decoder>::at(c.config, 0)) continue;
    SCOPED_TRACE(c.name);
    f(Maker{c.config});
  }
}

/// The same where no sanitizer runs.
template <class Maker, class F>
void for_each_config_but_sanitized(F&& f) {
  if constexpr (kSanitized) GTEST_SKIP() << kNotUnderSanitizers;
  else for_each_config<Maker>(f);
}

}  // namespace megalith::tests

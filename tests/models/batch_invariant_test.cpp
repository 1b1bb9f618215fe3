// SPDX-License-Identifier: Apache-2.0
// Whether the bits of a sequence depend on those decoded beside it, and what the summary says of that.
#include <gtest/gtest.h>

#include <cstring>

#include "megalith/kernels/gemm.h"
#include "megalith/models/zoo.h"
#include "support/small_models.h"

namespace megalith {
namespace {

/// Logits (bytes, 256) of sequence `b` of B, all of which read the same prompt and then each bytes of its own.
std::vector<float> logits_of(const AnyModel& model, Index B, Index b, std::uint64_t sequence) {
  constexpr Index kPrompt = 13;  // not a multiple of a patch; with B = 4 and more, too many rows for the thin product
  Workspace workspace(2);
  const Context ctx(workspace);
  std::vector<std::uint8_t> prompt;
  for (Index i = 0; i < B * kPrompt; ++i)
    prompt.push_back(static_cast<std::uint8_t>(random_bits({1}, static_cast<std::uint64_t>(i % kPrompt))));
  const auto state = model.make_state(B);
  model.read(ctx, {prompt.data(), B, kPrompt}, *state);
  std::vector<float> all, z(static_cast<std::size_t>(B * kByteValues));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(B));
  for (Index t = kPrompt; t < model.config().length; ++t) {
    model.next(ctx, *state, z);
    all.insert(all.end(), z.begin() + b * kByteValues, z.begin() + (b + 1) * kByteValues);
    for (Index i = 0; i < B; ++i) {
      const std::uint64_t other = sequence + static_cast<std::uint64_t>(i - b);
      bytes[static_cast<std::size_t>(i)] =
          static_cast<std::uint8_t>(random_bits(RandomKey{other}, static_cast<std::uint64_t>(t)));
    }
    model.accept(bytes, *state);
  }
  return all;
}

void expect_same_bits(const ModelConfig& config, const std::string& name) {
  const auto model = make_model(config);
  model->init({3});
  const std::vector<float> alone = logits_of(*model, 1, 0, 100);
  for (const auto& [B, b] : {std::pair<Index, Index>{2, 1}, {3, 0}, {5, 4}, {8, 3}, {16, 15}, {17, 9}, {49, 30}}) {
    const std::vector<float> beside = logits_of(*model, B, b, 100);
    ASSERT_EQ(std::memcmp(alone.data(), beside.data(), alone.size() * sizeof(float)), 0) << name << ", " << b << " of " << B;
  }
}

TEST(BatchInvariant, BitsDoNotDependOnNeighbours) {
  if (std::string_view(gemm_backend()) == "Eigen") GTEST_SKIP() << "Eigen's products depend on the number of rows";
  for (tests::SmallModel& small : tests::small_models()) {
    const ScaleConfig& outer = small.config.scales[0];
    for (Index width : {16, 48, 80}) {
      if (outer.convolution) width *= outer.patch;  // so that an embedding has as many numbers
      for (ScaleConfig& scale : small.config.scales) {
        scale.stack.width = width;
        tests::hidden_of(scale) = 3 * width;
      }
      ASSERT_TRUE(make_summary(small.config)->batch_invariant());
      expect_same_bits(small.config, small.name + " of width " + std::to_string(width));
    }
  }
}

TEST(BatchInvariant, OddWidthsAreNotTrusted) {
  ModelConfig config = tests::small_models()[0].config;
  config.scales[0].stack.width = 24;
  EXPECT_FALSE(make_summary(config)->batch_invariant());
  config.scales[0].stack.width = 32;
  tests::transformer(config.scales[0]).hidden = 100;
  EXPECT_FALSE(make_summary(config)->batch_invariant());
}

TEST(BatchInvariant, HoldForNamedModels) {
  if (std::string_view(gemm_backend()) == "Eigen") GTEST_SKIP();
  for (const Preset& preset : presets())
    if (preset.name != "paper-image64") {  // whose patches are embedded in 12 x 170 numbers
      EXPECT_TRUE(make_summary(preset.config)->batch_invariant()) << preset.name;
    }
}

}  // namespace
}  // namespace megalith

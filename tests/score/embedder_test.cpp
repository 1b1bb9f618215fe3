// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/embedder.h"

#include <gtest/gtest.h>

#include "support/fake_model.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

constexpr Index kLength = 32;  // of the small models

std::vector<std::uint8_t> some_bytes(Index n) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(random_bits({3}, static_cast<std::uint64_t>(i))));
  return bytes;
}

class EmbedderModel : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, EmbedderModel, ::testing::ValuesIn(small_models()),
                         [](const auto& info) { return info.param.name; });

// With one scale and a tied head, the vector behind byte t times the byte table is the logits of byte t + 1.
TEST(Embedder, AVectorKnowsItsOwnPatch) {
  const auto model = make_small(small_models()[0]);
  Workspace workspace(1);
  const std::vector<std::uint8_t> bytes = some_bytes(20);
  const std::vector<float> vectors = Embedder(*model, workspace).of_patches(bytes);
  const auto C = static_cast<std::size_t>(model->embedding_width());
  ASSERT_EQ(vectors.size(), bytes.size() * C);
  const Tensor<float>* table = nullptr;
  for (const Parameter& p : model->parameters())
    if (p.name == "table") table = p.tensor;
  ASSERT_NE(table, nullptr);
  const auto state = model->make_state(1);
  std::vector<float> logits(kByteValues);
  for (std::size_t t = 0; t < bytes.size(); ++t) {
    state->reset();
    model->read(Context(workspace), {bytes.data(), 1, static_cast<Index>(t) + 1}, *state);
    model->next(Context(workspace), *state, logits);
    for (Index v = 0; v < kByteValues; v += 17) {
      double z = 0;
      for (std::size_t c = 0; c < C; ++c)
        z += static_cast<double>(vectors[t * C + c]) * static_cast<double>(table->row(v)[c]);
      ASSERT_NEAR(z, logits[static_cast<std::size_t>(v)], 1e-3) << t;
    }
  }
}

TEST_P(EmbedderModel, ALaterByteChangesNoEarlierVector) {
  const auto model = make_small(GetParam());
  Workspace workspace(2);
  Embedder embedder(*model, workspace);
  const std::size_t C = static_cast<std::size_t>(embedder.width()), P = static_cast<std::size_t>(model->unit());
  std::vector<std::uint8_t> bytes = some_bytes(kLength - model->unit());
  const std::vector<float> before = embedder.of_patches(bytes);
  ASSERT_EQ(before.size(), bytes.size() / P * C);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    bytes[at] ^= 1;
    const std::vector<float> after = embedder.of_patches(bytes);
    bytes[at] ^= 1;
    for (std::size_t k = 0; k < bytes.size() / P; ++k) {
      bool same = true;
      for (std::size_t c = 0; c < C; ++c) same = same && before[k * C + c] == after[k * C + c];
      ASSERT_EQ(same, k < at / P) << "patch " << k << ", byte " << at;
    }
  }
}

TEST_P(EmbedderModel, WindowsSlideAndEachPatchHasOneVector) {
  const auto model = make_small(GetParam());
  Workspace workspace(2);
  Embedder embedder(*model, workspace);
  const Index P = model->unit(), C = embedder.width(), W = kLength - P, stride = W - W / 2 / P * P;
  for (const Index size : {Index{1}, P, P + 1, W, W + 1, W + stride, W + stride + 1, Index{20000}}) {
    const std::vector<std::uint8_t> bytes = some_bytes(size);
    const std::vector<float> found = embedder.of_patches(bytes);
    ASSERT_EQ(std::ssize(found), (size + P - 1) / P * C);
    std::vector<double> sum(static_cast<std::size_t>(C));
    for (Index k = 0; k<(size + P - 1) / P; k += size> 1000 ? 7 : 1) {
      // The window in which patch k is new, from its start.
      const Index start = k * P < W ? 0 : ((k * P - W) / stride + 1) * stride, n = k * P + P - start;
      std::vector<std::uint8_t> window(static_cast<std::size_t>(n), 0);
      std::copy_n(bytes.begin() + start, std::min(n, size - start), window.begin());
      std::vector<float> vectors(static_cast<std::size_t>(n / P * C));
      model->embed(Context(workspace), {window.data(), 1, n}, vectors);
      for (Index c = 0; c < C; ++c)
        ASSERT_NEAR(found[static_cast<std::size_t>(k * C + c)], vectors[static_cast<std::size_t>(n / P * C - C + c)], 1e-3f)
            << size << " bytes, patch " << k;
    }
    const std::vector<float> mean = embedder.of_whole(bytes);
    for (std::size_t i = 0; i < found.size(); ++i) sum[i % sum.size()] += static_cast<double>(found[i]);
    for (std::size_t c = 0; c < sum.size(); ++c)
      ASSERT_NEAR(mean[c], sum[c] / static_cast<double>((size + P - 1) / P), 1e-4);
  }
}

TEST(Embedder, Errors) {
  Workspace workspace(1);
  EXPECT_ERROR(Embedder(FakeModel(), workspace), "no embeddings");
  SmallModel one_patch = small_models()[1];  // patches of 4
  one_patch.config.length = 4;
  const auto single = make_small(one_patch);
  EXPECT_ERROR(Embedder(*single, workspace), "single patches of 4 bytes");
  const auto model = make_small(small_models()[1]);
  EXPECT_ERROR(Embedder(*model, workspace).of_whole({}), "nothing to embed");
  std::vector<float> vectors(1000);
  const std::vector<std::uint8_t> bytes = some_bytes(32);
  EXPECT_ERROR(model->embed(Context(workspace), {bytes.data(), 1, 32}, vectors), "exceeds");
  EXPECT_ERROR(model->embed(Context(workspace), {bytes.data(), 1, 3}, vectors), "multiple");
  EXPECT_ERROR(model->embed(Context(workspace), {bytes.data(), 1, 4}, std::span(vectors).first(3)), "room for 3");
}

}  // namespace
}  // namespace megalith

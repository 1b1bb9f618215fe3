// SPDX-License-Identifier: Apache-2.0
// Streams of records in an order of their own.
#include <gtest/gtest.h>

#include "megalith/score/embedder.h"
#include "megalith/score/record_scorer.h"
#include "megalith/score/scorer.h"
#include "megalith/train/evaluate.h"
#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

/// A model for windows of 48 bytes.
std::unique_ptr<AnyModel> model_of(const RecordConfig& record) {
  ModelConfig config = config_named("megabyte");
  config.length = 48;
  config.record = record;
  auto model = make_model(config);
  model->init({3});
  return model;
}

const RecordConfig kPicture{48, {.kind = ScanKind::patch, .width = 4, .height = 4, .channels = 3, .tile = 2}};
const RecordConfig kSamples{16, {.kind = ScanKind::split, .sample_bytes = 2}};

std::vector<std::uint8_t> some_bytes(Index n) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(random_bits({3}, static_cast<std::uint64_t>(i))));
  return bytes;
}

TEST(ScorerRecords, SurprisalsAreThoseOfAnEvaluationHoweverManyPiecesAreFed) {
  const auto file = some_bytes(6 * 48);
  for (const RecordConfig& record : {kPicture, kSamples}) {
    const auto model = model_of(record);
    for (const Index stride : {Index{48}, SlidingWindow::of(*model).stride}) {
      std::vector<float> expected;
      Workspace workspace(1);
      evaluate(*model, workspace, file,
               {.stride = stride, .losses = [&](const auto&, std::int64_t, std::span<const float> bits) {
                  expected.insert(expected.end(), bits.begin(), bits.end());
                }});
      for (const std::size_t piece : {std::size_t(Scan(record).piece()), std::size_t{48}, file.size()}) {
        Scorer scorer(*model, {.stride = stride, .threads = 1});
        std::vector<float> found;
        for (std::size_t at = 0; at < file.size(); at += piece) {
          const auto bits = scorer.feed(std::span(file).subspan(at, piece));
          found.insert(found.end(), bits.begin(), bits.end());
        }
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i)
          ASSERT_NEAR(found[i], expected[i], 3e-4) << in_words(record) << ", " << piece << " at once, byte " << i;
      }
    }
  }
}

TEST(ScorerRecords, WindowsSlideFromRecordToRecord) {
  EXPECT_EQ(SlidingWindow::of(*model_of(kPicture)).stride, 48) << "nothing of a picture is context of the next";
  EXPECT_EQ(SlidingWindow::of(*model_of({96, {}})).stride, 48) << "nor is a part of one";
  EXPECT_EQ(SlidingWindow::of(*model_of(kSamples)).stride, 32) << "one record of three stays";
  EXPECT_EQ(SlidingWindow::of(*model_of({6, {}})).stride, 24) << "patches of 4: both begin at multiples of 12";
  EXPECT_EQ(SlidingWindow::of(*model_of({})).stride, 24);
}

TEST(ScorerRecords, WhatIsNotWholeIsRefused) {
  const auto model = model_of(kPicture);
  Scorer scorer(*model, {.threads = 1});
  const auto file = some_bytes(48);
  scorer.feed(std::span(file).first(24));
  EXPECT_ERROR(scorer.feed(std::span(file).first(23)), "must have a multiple of 24");
  scorer.feed(std::span(file).last(24));
  EXPECT_EQ(scorer.position(), 48);
  Workspace workspace(1);
  EXPECT_ERROR(RecordScorer(*model, workspace), "lines or other short pieces by themselves have no such order");
  EXPECT_ERROR(Embedder(*model, workspace), "gives no embeddings: windows that overlap do not begin at them");
  EXPECT_ERROR(Embedder(*model_of({48, {}}), workspace), "reads records of 48 bytes in windows of 48");
}

TEST(ScorerRecords, EmbeddingsGoOnAtRecords) {
  const auto model = model_of({16, {}});
  Workspace workspace(1);
  Embedder embedder(*model, workspace);
  const auto bytes = some_bytes(146);
  const std::vector<float> all = embedder.of_patches(bytes);
  ASSERT_EQ(std::ssize(all), embedder.patches(146) * embedder.width());
  // Windows of 44 bytes: the last one begins at the last record but two.
  const std::vector<float> last = embedder.of_patches(std::span(bytes).subspan(112));
  const auto n = static_cast<std::size_t>(embedder.width());
  for (std::size_t i = 0; i < n; ++i) ASSERT_NEAR(all[all.size() - n + i], last[last.size() - n + i], 1e-5);
}

}  // namespace
}  // namespace megalith

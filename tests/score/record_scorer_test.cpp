// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/record_scorer.h"

#include <gtest/gtest.h>

#include <string>

#include "megalith/score/scorer.h"
#include "support/small_models.h"

namespace megalith {
namespace {

using namespace tests;

std::string some_text(Index n, std::uint64_t seed) {
  std::string text;
  for (Index i = 0; i < n; ++i) text += static_cast<char>(random_bits({seed}, static_cast<std::uint64_t>(i)));
  return text;
}

TEST(RecordScorer, EachRecordIsAStreamOfItsOwn) {
  std::vector<SmallModel> all = small_models();
  for (const SmallModel& small : endless_models()) all.push_back(small);
  for (const SmallModel& small : all) {
    const auto model = make_small(small);  // windows of 32 bytes
    std::vector<std::string> texts;
    for (const Index n : {5, 0, 31, 5, 32, 1, 33, 48, 49, 7, 300, 8, 16, 8193, 20001})
      texts.push_back(some_text(n, texts.size()));
    for (Index i = 0; i < 2000; ++i)
      texts.push_back(some_text(1 + i % 9, static_cast<std::uint64_t>(i)));  // several batches
    Workspace workspace(2);
    RecordScorer records(*model, workspace);
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const std::span<const float> bits = records.score(views);
    std::size_t at = 0;
    Scorer scorer(*model, {.threads = 1});
    for (const std::string& text : texts) {
      scorer.reset();
      for (const float expected : scorer.feed(text))
        ASSERT_NEAR(bits[at++], expected, 3e-4f) << small.name << " " << text.size();
    }
    EXPECT_EQ(at, bits.size());
    EXPECT_TRUE(records.score({}).empty());
  }
}

}  // namespace
}  // namespace megalith

// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/classifier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "megalith/score/scorer.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

TEST(Classifier, TheFloor) {
  EXPECT_NEAR(with_floor(0), -std::log2(255.0 / 256 + 1.0 / 65536), 1e-12);
  EXPECT_NEAR(with_floor(8), 8, 1e-12);  // what any value costs
  EXPECT_DOUBLE_EQ(with_floor(1e6), 16);
  EXPECT_DOUBLE_EQ(with_floor(std::numeric_limits<double>::infinity()), 16);
  EXPECT_TRUE(std::isnan(with_floor(NAN)));
  for (double bits = 0; bits < 60; bits += 0.5) {
    EXPECT_LT(with_floor(bits), with_floor(bits + 0.5) + 1e-9);
    EXPECT_LE(with_floor(bits), 16);
  }
}

TEST(Classifier, ProbabilitiesAreThoseOfEquallyLikelyModels) {
  const Classes classes = Classes::of({10, 8, 9});
  EXPECT_EQ(classes.best, 1u);
  EXPECT_NEAR(classes.probabilities[0], 1.0 / 7, 1e-12);
  EXPECT_NEAR(classes.probabilities[1], 4.0 / 7, 1e-12);
  EXPECT_NEAR(classes.probabilities[2], 2.0 / 7, 1e-12);
  const Classes far = Classes::of({1e9, 0});
  EXPECT_EQ(far.probabilities[0], 0);
  EXPECT_EQ(far.probabilities[1], 1);
  EXPECT_EQ(Classes::of({3, 3}).best, 0u);
  EXPECT_ERROR(Classes::of({1, NAN}), "model 2 gives costs that are not finite");
}

TEST(Classifier, EachRecordUnderEachModel) {
  const auto one = make_small(small_models()[1], 1), two = make_small(small_models()[0], 2);
  Workspace workspace(1);
  Classifier classifier({one.get(), two.get()}, workspace);
  const std::vector<std::string_view> records{"a line\n", "", "another one, longer than one window of these models\n"};
  const std::vector<Classes> found = classifier.classify(records);
  ASSERT_EQ(found.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i)
    for (const std::size_t m : {0u, 1u}) {
      Scorer scorer(m == 0 ? *one : *two, {.threads = 1});
      double sum = 0;
      for (const float b : scorer.feed(records[i])) sum += with_floor(static_cast<double>(b));
      EXPECT_NEAR(found[i].bits[m], sum, 1e-2);
    }
  EXPECT_DOUBLE_EQ(found[1].probabilities[0], 0.5);
  EXPECT_TRUE(classifier.classify({}).empty());
  EXPECT_ERROR(Classifier({}, workspace), "no model");
}

}  // namespace
}  // namespace megalith

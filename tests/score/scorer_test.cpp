// SPDX-License-Identifier: Apache-2.0
#include "megalith/score/scorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "megalith/generate/generator.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

constexpr Index kLength = 32;        // of the small models
constexpr float kTolerance = 3e-4f;  // bits

std::vector<std::uint8_t> some_bytes(Index n) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(random_bits({3}, static_cast<std::uint64_t>(i))));
  return bytes;
}

/// The losses of all bytes as one sequence.
std::vector<float> bits_at_once(const AnyModel& model, std::span<const std::uint8_t> bytes) {
  Workspace workspace(1);
  const Index unit = model.unit(), padded = (std::ssize(bytes) + unit - 1) / unit * unit;
  std::vector<std::uint8_t> all(bytes.begin(), bytes.end());
  all.resize(static_cast<std::size_t>(padded));
  std::vector<float> bits(all.size());
  model.score(Context(workspace), {all.data(), 1, padded}, bits);
  bits.resize(bytes.size());
  for (float& b : bits) b /= std::numbers::ln2_v<float>;
  return bits;
}

/// By the definition: each byte in the window in which it is predicted, scored from the window's start. A stride of 0: in
/// one window without an end.
std::vector<float> expected_bits(const AnyModel& model, std::span<const std::uint8_t> bytes, Index stride) {
  if (stride == 0) return bits_at_once(model, bytes);
  Workspace workspace(1);
  std::vector<float> bits;
  for (Index start = 0, first = 0; first < std::ssize(bytes); start += stride, first = start + kLength - stride) {
    std::vector<std::uint8_t> window(kLength, 0);
    const Index n = std::min(kLength, std::ssize(bytes) - start);
    std::copy_n(bytes.begin() + start, n, window.begin());
    std::vector<float> losses(kLength);
    model.score(Context(workspace), {window.data(), 1, kLength}, losses);
    for (Index i = first - start; i < n; ++i)
      bits.push_back(losses[static_cast<std::size_t>(i)] / std::numbers::ln2_v<float>);
  }
  return bits;
}

std::vector<float> in_pieces(Scorer& scorer, std::span<const std::uint8_t> bytes, std::size_t piece) {
  std::vector<float> bits;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    const auto some = scorer.feed(bytes.subspan(i, std::min(piece, bytes.size() - i)));
    bits.insert(bits.end(), some.begin(), some.end());
  }
  return bits;
}

void expect_near(std::span<const float> a, std::span<const float> b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], kTolerance) << what << ", byte " << i;
}

/// How far the windows slide of a scorer that was told nothing; 0 where there is one without an end.
Index hop_of(const AnyModel& model, const SmallModel& small) { return model.max_length() ? stride_of(small) : 0; }

class ScorerModel : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, ScorerModel, ::testing::ValuesIn(small_models()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ScorerModel, AnyCutAndAnyStrideGiveTheLossesOfTheWindows) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(5 * kLength + 3);
  for (const Index stride : {Index{0}, model->unit(), Index{24}, kLength}) {
    const std::vector<float> expected = expected_bits(*model, bytes, stride > 0 ? stride : hop_of(*model, GetParam()));
    for (const std::size_t piece : {1u, 3u, 8u, 31u, 32u, 33u, 90u, 1000u}) {
      Scorer scorer(*model, {.stride = stride, .threads = 1});
      expect_near(in_pieces(scorer, bytes, piece), expected, text("stride ", stride, ", pieces of ", piece));
      EXPECT_EQ(scorer.position(), std::ssize(bytes));
    }
  }
}

TEST_P(ScorerModel, TheProbabilitiesOfAGenerator) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(4 * kLength);
  Scorer scorer(*model, {.threads = 1});
  const std::span<const float> bits = scorer.feed(bytes);
  Generator generator(*model, {}, 1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::vector<NextByte> all = generator.likeliest(kByteValues);
    const auto next = std::find_if(all.begin(), all.end(), [&](const NextByte& n) { return n.byte == bytes[i]; });
    ASSERT_NEAR(bits[i], -std::log2(next->probability), static_cast<double>(kTolerance)) << i;
    generator.prompt({&bytes[i], 1});
  }
}

TEST_P(ScorerModel, ManyWindowsAtOnce) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(400 * kLength + 5);  // more than one batch of them
  Scorer scorer(*model, {.threads = 2});
  expect_near(scorer.feed(bytes), expected_bits(*model, bytes, hop_of(*model, GetParam())), "all at once");
  const std::vector<float> once(scorer.feed(bytes).begin(), scorer.feed(bytes).end());
  EXPECT_EQ(once.size(), bytes.size());  // goes on behind a batch
}

TEST_P(ScorerModel, TheNumberOfThreadsChangesNoBit) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(1000);
  Scorer one(*model, {.threads = 1}), three(*model, {.threads = 3});
  EXPECT_EQ(in_pieces(one, bytes, 77), in_pieces(three, bytes, 77));
}

TEST_P(ScorerModel, ACopyGoesOnByItself) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(100), other = some_bytes(130);
  for (const Index cut : {0, 1, 5, 32, 40, 48, 97}) {
    Scorer scorer(*model, {.threads = 1});
    scorer.feed(std::span(bytes).first(static_cast<std::size_t>(cut)));
    Scorer copy(scorer), assigned(*model, {.threads = 1}), loaded(*model, {.threads = 1});
    assigned.feed(bytes);
    assigned = scorer;
    loaded.feed(other);
    loaded.load(scorer.save());
    EXPECT_EQ(loaded.position(), cut);
    const std::vector<float> expected = in_pieces(scorer, other, 10);
    EXPECT_EQ(in_pieces(copy, other, 10), expected) << cut;
    EXPECT_EQ(in_pieces(assigned, other, 10), expected) << cut;
    EXPECT_EQ(in_pieces(loaded, other, 10), expected) << cut;
    copy.reset();
    scorer = Scorer(*model, {.threads = 1});
    EXPECT_EQ(in_pieces(copy, bytes, 7), in_pieces(scorer, bytes, 7));
  }
}

TEST_P(ScorerModel, SavedBehindABatchOfWindows) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(10 * kLength);
  Scorer scorer(*model, {.threads = 1}), loaded(*model, {.threads = 1});
  scorer.feed(bytes);
  loaded.load(scorer.save());
  EXPECT_EQ(in_pieces(loaded, bytes, 9), in_pieces(scorer, bytes, 9));
}

TEST(Scorer, DamagedBytesChangeNothing) {
  const auto model = make_small(small_models()[1]);
  const std::vector<std::uint8_t> bytes = some_bytes(45);
  Scorer scorer(*model, {.threads = 1});
  scorer.feed(bytes);
  const std::vector<std::byte> saved = scorer.save();
  for (std::size_t size = 0; size < saved.size(); size += 1 + size / 40)
    EXPECT_ERROR(scorer.load(std::span(saved).first(size)), "not a saved");
  for (std::size_t at = 0; at < 64; ++at) {  // magic and header
    if (at > 40 && at < 48) continue;        // another position whose window has as many bytes is as good
    std::vector<std::byte> changed = saved;
    changed[at] ^= std::byte{0x81};
    EXPECT_ERROR(scorer.load(changed), "not a saved") << at;
  }
  std::vector<std::byte> longer = saved;
  longer.push_back({});
  EXPECT_ERROR(scorer.load(longer), "not a saved");
  EXPECT_EQ(scorer.position(), 45);
  EXPECT_EQ(scorer.save(), saved);

  Scorer other_stride(*model, {.stride = 8, .threads = 1});
  EXPECT_ERROR(other_stride.load(saved), "stride");
  const auto other = make_small(small_models()[0]);
  Scorer other_model(*other, {.threads = 1});
  EXPECT_ERROR(other_model.load(saved), "not a saved");
}

TEST(Scorer, Errors) {
  const auto model = make_small(small_models()[1]);  // units of 4
  EXPECT_ERROR(Scorer(*model, {.stride = 6}), "the stride is 6, and must be a multiple of 4 up to 32");
  EXPECT_ERROR(Scorer(*model, {.stride = 36}), "stride is 36");
  EXPECT_ERROR(Scorer(*model, {.stride = -4}), "stride is -4");
  EXPECT_ERROR(Scorer(*model, {.threads = 0}), "threads is 0");
  Scorer scorer(*model, {.threads = 1});
  EXPECT_TRUE(scorer.feed("").empty());
  EXPECT_EQ(scorer.feed("four").size(), 4u);
}

}  // namespace
}  // namespace megalith

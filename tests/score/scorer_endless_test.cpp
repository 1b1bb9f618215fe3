// SPDX-License-Identifier: Apache-2.0
// Scorers of models without a longest sequence: no window, and the State goes on for ever.
#include <gtest/gtest.h>

#include <new>
#include <numbers>

#include "megalith/score/scorer.h"
#include "support/forwarding_model.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

constexpr float kTolerance = 3e-4f;  // bits

std::vector<std::uint8_t> some_bytes(Index n) {
  std::vector<std::uint8_t> bytes;
  for (Index i = 0; i < n; ++i) bytes.push_back(static_cast<std::uint8_t>(random_bits({3}, static_cast<std::uint64_t>(i))));
  return bytes;
}

/// The losses of whole units of bytes as one sequence.
std::vector<float> bits_at_once(const AnyModel& model, std::span<const std::uint8_t> bytes) {
  Workspace workspace(1);
  std::vector<float> bits(bytes.size());
  model.score(Context(workspace), {bytes.data(), 1, std::ssize(bytes)}, bits);
  for (float& b : bits) b /= std::numbers::ln2_v<float>;
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

class EndlessScorer : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, EndlessScorer, ::testing::ValuesIn(endless_models()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EndlessScorer, AnyCutGivesTheLossesOfOneSequence) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(20000);
  const std::vector<float> expected = bits_at_once(*model, bytes);
  for (const std::size_t piece : {1u, 7u, 90u, 5000u, 20000u}) {
    const auto part = std::span(bytes).first(piece < 90 ? 2000 : bytes.size());
    Scorer scorer(*model, {.threads = 1});
    const std::vector<float> found = in_pieces(scorer, part, piece);
    ASSERT_EQ(found.size(), part.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], kTolerance) << piece << " " << i;
    EXPECT_EQ(scorer.position(), std::ssize(part));
  }
}

TEST_P(EndlessScorer, SavedBytesAreAsManyAtAnyPositionAndGoOnElsewhere) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(10000), other = some_bytes(300);
  Scorer scorer(*model, {.threads = 1});
  scorer.feed(std::span(bytes).first(1001));
  const std::size_t after_1001 = scorer.save().size();
  scorer.feed(std::span(bytes).subspan(1001));
  const std::vector<std::byte> saved = scorer.save();
  EXPECT_EQ(saved.size(), after_1001);
  Scorer loaded(*model, {.threads = 1}), copy(scorer);
  loaded.feed(other);
  loaded.load(saved);
  EXPECT_EQ(loaded.position(), 10000);
  const std::vector<float> expected = in_pieces(scorer, other, 10);
  EXPECT_EQ(in_pieces(loaded, other, 10), expected);
  EXPECT_EQ(in_pieces(copy, other, 10), expected);
  loaded.reset();
  Scorer fresh(*model, {.threads = 1});
  EXPECT_EQ(in_pieces(loaded, other, 7), in_pieces(fresh, other, 7));
  for (std::size_t size = 0; size < saved.size(); size += 1 + size / 40)
    EXPECT_ERROR(loaded.load(std::span(saved).first(size)), "not a saved");
  for (std::size_t at = 0; at < 64; ++at) {  // magic and header
    std::vector<std::byte> changed = saved;
    changed[at] ^= std::byte{0x81};
    EXPECT_ERROR(loaded.load(changed), "not a saved") << at;
  }
}

TEST_P(EndlessScorer, AStrideMakesWindowsOfTraining) {
  const auto model = make_small(GetParam());
  const std::vector<std::uint8_t> bytes = some_bytes(160);
  Scorer windows(*model, {.stride = 32, .threads = 1}), endless(*model, {.threads = 1});
  const std::span<const float> found = windows.feed(bytes);
  for (std::size_t window = 0; window < 160; window += 32) {
    const std::vector<float> expected = bits_at_once(*model, std::span(bytes).subspan(window, 32));
    for (std::size_t i = 0; i < 32; ++i) ASSERT_NEAR(found[window + i], expected[i], kTolerance) << window << " " << i;
  }
  EXPECT_GT(std::abs(endless.feed(bytes)[32] - found[32]), kTolerance);
  EXPECT_ERROR(Scorer(*model, {.stride = 36}), "stride is 36");
  EXPECT_ERROR(endless.load(windows.save()), "not a saved scorer of this model and stride");
}

/// Has no memory for one call.
struct BrokenModel final : ForwardingModel {
  using ForwardingModel::ForwardingModel;
  void score(const Context& ctx, Bytes bytes, std::span<float> losses, AnyState* state) const override {
    if (std::exchange(broken, false)) throw std::bad_alloc();
    ForwardingModel::score(ctx, bytes, losses, state);
  }
  mutable bool broken = false;
};

TEST(EndlessScorer, AStreamThatBrokeOffIsNotReadOn) {
  BrokenModel model(make_small(endless_models()[0]));
  const std::vector<std::uint8_t> bytes = some_bytes(100);
  Scorer scorer(model, {.threads = 1});
  scorer.feed(bytes);
  model.broken = true;
  EXPECT_THROW(scorer.feed(bytes), std::bad_alloc);
  EXPECT_EQ(scorer.position(), 100);
  EXPECT_ERROR(scorer.feed(bytes), "broke off at an error after 100 bytes");
  scorer.reset();
  Scorer fresh(model, {.threads = 1});
  const std::vector<float> expected = in_pieces(fresh, bytes, 100);
  EXPECT_EQ(in_pieces(scorer, bytes, 100), expected);
}

}  // namespace
}  // namespace megalith

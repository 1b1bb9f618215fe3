// SPDX-License-Identifier: Apache-2.0
// Generation without an end: models without a longest sequence, whose State goes on for ever.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "megalith/models/window_scorer.h"
#include "support/forwarding_model.h"
#include "support/generated.h"
#include "support/heap_probe.h"
#include "support/small_models.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

std::string random_text(Index n, std::uint64_t seed = 8) {
  std::string all;
  for (Index i = 0; i < n; ++i) all += static_cast<char>(random_bits({seed}, static_cast<std::uint64_t>(i)));
  return all;
}

/// Tells what a model is asked to do.
struct CountingModel final : ForwardingModel {
  using ForwardingModel::ForwardingModel;
  void read(const Context& ctx, Bytes bytes, AnyState& state) const override {
    bytes_read += bytes.T;
    longest = std::max(longest, bytes.T);
    ForwardingModel::read(ctx, bytes, state);
  }
  void next(const Context& ctx, AnyState& state, std::span<float> logits) const override {
    ++asked;
    state_bytes = std::ssize(state.save());
    ForwardingModel::next(ctx, state, logits);
  }
  mutable Index bytes_read = 0, longest = 0, asked = 0, state_bytes = 0;
};

class EndlessGenerator : public ::testing::TestWithParam<SmallModel> {};

INSTANTIATE_TEST_SUITE_P(Models, EndlessGenerator, ::testing::ValuesIn(endless_models()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EndlessGenerator, TheSameMemoryAndWorkAfterAnyNumberOfBytes) {
  const CountingModel model(make_small(GetParam()));
  const Index piece = stream_piece(model), prompted = 2 * piece + 77;
  Generator generator(model, {}, 1);
  generator.prompt(random_text(prompted));
  generator.next();
  generated(generator, 999);
  const Index state_after_1000 = model.state_bytes;
  const std::size_t heap_after_1000 = live_heap();
  generated(generator, 9000);
  EXPECT_EQ(model.state_bytes, state_after_1000);
  EXPECT_LE(live_heap(), heap_after_1000 + 4096);  // a byte for each byte would be 9,000
  EXPECT_EQ(model.bytes_read, prompted) << "no byte is read twice";
  EXPECT_EQ(model.longest, piece);
  EXPECT_EQ(model.asked, 10000);
  EXPECT_EQ(generator.position(), prompted + 10000);
}

TEST_P(EndlessGenerator, APromptMayBeCutAnywhere) {
  const CountingModel model(make_small(GetParam()));
  const Index piece = stream_piece(model);
  const std::string prompt = random_text(2 * piece + 1234);
  const auto after = [&](std::size_t cut) {
    Generator generator(model, {}, 1);
    for (std::size_t at = 0; at < prompt.size(); at += cut) generator.prompt(std::string_view(prompt).substr(at, cut));
    const std::span<const float> logits = generator.logits();
    return std::pair(std::vector<float>(logits.begin(), logits.end()), generated(generator, 200));
  };
  const auto expected = after(prompt.size());
  for (const std::size_t cut : {std::size_t{1000}, static_cast<std::size_t>(piece), static_cast<std::size_t>(piece) + 1}) {
    EXPECT_EQ(after(cut), expected) << cut;  // to the bit
    EXPECT_EQ(model.longest, piece) << cut;
  }
}

TEST_P(EndlessGenerator, PredictsWhatScoreDoesOfAllBytesAtOnce) {
  const auto model = make_small(GetParam());
  Workspace workspace(1);
  const std::string text = random_text(400);  // the windows of training have 32 bytes
  std::vector<float> losses(text.size());
  model->score(Context(workspace), {reinterpret_cast<const std::uint8_t*>(text.data()), 1, std::ssize(text)}, losses);
  for (const std::size_t prompted : {0u, 30u, 333u}) {
    Generator generator(*model, {}, 1);
    generator.prompt(std::string_view(text).substr(0, prompted));
    for (std::size_t i = prompted; i < text.size(); ++i) {
      const std::vector<NextByte> all = generator.likeliest(kByteValues);
      const auto byte = static_cast<std::uint8_t>(text[i]);
      const auto next = std::find_if(all.begin(), all.end(), [&](const NextByte& n) { return n.byte == byte; });
      ASSERT_NEAR(losses[i], -std::log(next->probability), 3e-4) << prompted << " " << i;
      generator.prompt(std::string_view(text).substr(i, 1));
    }
  }
}

TEST_P(EndlessGenerator, EachStreamItsOwnPrompt) {
  const auto model = make_small(GetParam());
  const std::string text = random_text(500);
  const std::string_view all = text;
  const std::vector<std::string_view> first{"a", all.substr(0, 300), all.substr(100, 300), "", all},
      second{"", "y", "", "zz", "w"};
  Generator generator(*model, {}, 1, 5);
  std::vector<std::string> bytes(5);
  const auto take = [&](int n) {
    for (int i = 0; i < n; ++i) {
      const auto next = generator.next_of_each();
      for (std::size_t s = 0; s < 5; ++s) bytes[s] += static_cast<char>(next[s]);
    }
  };
  take(40);
  generator.prompt_each(first);
  take(20);
  generator.logits();
  generator.prompt_each(second);  // some have been asked, and are told nothing
  Generator copy(generator);
  const auto next = copy.next_of_each();
  const std::vector<std::uint8_t> of_copy(next.begin(), next.end());
  take(20);
  for (Index s = 0; s < 5; ++s) {
    const std::size_t i = static_cast<std::size_t>(s);
    Generator alone(*model, {}, 1, 1, s);
    std::string one = generated(alone, 40);
    alone.prompt(first[i]);
    one += generated(alone, 20);
    alone.prompt(second[i]);
    one += generated(alone, 20);
    EXPECT_EQ(bytes[i], one) << s;
    EXPECT_EQ(of_copy[i], static_cast<std::uint8_t>(one[60])) << s;
    EXPECT_EQ(generator.position(s), alone.position());
  }
  generator.reset();
  EXPECT_EQ(generator.position(1), 0);
  for (std::string& each : bytes) each.clear();
  take(10);
  Generator fresh(*model, {}, 1);
  EXPECT_EQ(bytes[0], generated(fresh, 10));
}

TEST(EndlessGenerator, AStateIsTakenApartWithinItsBatch) {
  const auto model = make_small(endless_models()[0]);
  const auto state = model->make_state(2);
  EXPECT_ERROR(model->select(*state, std::vector<Index>{0, 2}), "for 2 sequences, and has none with the number 2");
  const FakeModel other(16, 4, 0, true);
  EXPECT_ERROR(other.select(*other.make_state(2), std::vector<Index>{0}), "cannot take sequences out");
}

}  // namespace
}  // namespace megalith

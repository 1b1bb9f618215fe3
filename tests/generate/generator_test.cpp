// SPDX-License-Identifier: Apache-2.0
#include "megalith/generate/generator.h"

#include <gtest/gtest.h>

#include "support/generated.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

TEST(Generator, GreedyFollowsTheModelAndItsWindows) {
  struct Case {
    Index length, unit, hop;  // windows start at 0, hop, 2 hop and so on
    Index record = 1;
  };
  for (const Case c : {Case{16, 4, 8}, Case{24, 8, 16}, Case{16, 1, 8}, Case{16, 16, 16}, Case{16, 4, 16, 16},
                       Case{16, 4, 16, 32}, Case{24, 4, 12, 6}, Case{24, 8, 16, 2}, Case{24, 1, 16, 8}}) {
    FakeModel model = made_model(c.length, c.unit);
    model.set_record({c.record, {}});
    const std::string bytes = with_prompt(model, "ab", 70, {.temperature = 0});
    std::vector<float> z(kByteValues);
    for (Index i = 2; i < std::ssize(bytes); ++i) {
      const Index start = i < c.length ? 0 : (i - c.length) / c.hop * c.hop + c.hop;
      const Index before = static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i - 1)]);
      model.logits(i > start ? before : kByteValues, i - start, z);
      const auto likeliest = std::max_element(z.begin(), z.end()) - z.begin();
      ASSERT_EQ(static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)]), likeliest)
          << c.length << " " << c.unit << " " << c.record << " " << i;
    }
  }
}

TEST(Generator, BytesArePromptedOrGeneratedAlike) {
  for (const Index unit : {1, 4, 8, 16}) {  // 16: nothing of a full window is kept
    const FakeModel model = made_model(16, unit);
    const std::string bytes = with_prompt(model, "", 70);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
      ASSERT_EQ(with_prompt(model, bytes.substr(0, cut), std::ssize(bytes) - static_cast<Index>(cut)), bytes) << cut;
  }
}

TEST(Generator, PromptsInPieces) {
  const FakeModel model = made_model(16, 4);
  const std::string prompt = "a prompt that is longer than two windows of the model";
  const std::string expected = with_prompt(model, prompt, 20);
  for (const std::size_t piece : {1u, 3u, 16u, 17u}) {
    Generator generator(model, {}, 1);
    for (std::size_t i = 0; i < prompt.size(); i += piece) generator.prompt(std::string_view(prompt).substr(i, piece));
    EXPECT_EQ(generator.position(), std::ssize(prompt));
    EXPECT_EQ(prompt + generated(generator, 20), expected) << piece;
  }
}

TEST(Generator, AnsweringInBetween) {
  const FakeModel model = made_model(16, 4);
  Generator generator(model, {}, 1);
  generator.prompt("Q");
  const std::string first = generated(generator, 11);
  generator.prompt("and then");
  const std::string second = generated(generator, 5);
  EXPECT_EQ(with_prompt(model, "Q" + first + "and then", 5), "Q" + first + "and then" + second);
}

TEST(Generator, StreamsAreIndependent) {
  const FakeModel model = made_model(16, 4);
  Generator three(model, {}, 1, 3);
  three.prompt("start");
  std::vector<std::string> bytes(3);
  for (int i = 0; i < 40; ++i) {
    const std::span<const std::uint8_t> next = three.next_of_each();
    ASSERT_EQ(next.size(), 3u);
    for (std::size_t s = 0; s < 3; ++s) bytes[s] += static_cast<char>(next[s]);
  }
  EXPECT_EQ("start" + bytes[0], with_prompt(model, "start", 40));  // whoever stands beside it
  EXPECT_NE(bytes[0], bytes[1]);
  EXPECT_NE(bytes[1], bytes[2]);
  EXPECT_ERROR(three.next(), "3 streams");
}

TEST(Generator, StreamsKeepTheirNumbers) {
  const FakeModel model = made_model(16, 4);
  Generator all(model, {}, 1, 5), last(model, {}, 1, 2, 3);
  for (int i = 0; i < 40; ++i) {
    const auto bytes = all.next_of_each(), two = last.next_of_each();
    ASSERT_EQ(std::vector<int>(bytes.begin() + 3, bytes.end()), std::vector<int>(two.begin(), two.end()));
  }
}

TEST(Generator, StreamsAreDecodedTogetherOnlyWhereThatLeavesNoTrace) {
  for (const bool together : {true, false}) {
    const ObservedModel model(together);
    Generator generator(model, {}, 1, 5);
    generator.prompt("a prompt");
    for (int i = 0; i < 40; ++i) generator.next_of_each();  // also in later windows
    EXPECT_EQ(model.batches, std::set<Index>{together ? 5 : 1});
  }
}

TEST(Generator, RepetitionIsPenalisedOverTheWindowAndThePrompt) {
  const FakeModel model = made_model(16, 4);
  const auto greedy = [&](double penalty, int window) {
    return with_prompt(model, "abcdefgh", 60,
                       {.repetition_penalty = penalty, .repetition_window = window, .temperature = 0});
  };
  std::vector<float> z(kByteValues);
  for (const int window : {1, 5, 30, 1000}) {  // also beyond what the model still sees
    const std::string bytes = greedy(3, window);
    for (std::size_t i = 8; i < bytes.size(); ++i) {
      const Index at = static_cast<Index>(i), start = at < 16 ? 0 : (at - 16) / 8 * 8 + 8;
      model.logits(at > start ? static_cast<std::uint8_t>(bytes[i - 1]) : kByteValues, at - start, z);
      const std::size_t first = i > static_cast<std::size_t>(window) ? i - static_cast<std::size_t>(window) : 0;
      for (std::size_t v = 0; v < z.size(); ++v)
        if (bytes.find(static_cast<char>(v), first) < i) z[v] = z[v] > 0 ? z[v] / 3 : z[v] * 3;
      const auto likeliest = std::max_element(z.begin(), z.end()) - z.begin();
      ASSERT_EQ(static_cast<std::uint8_t>(bytes[i]), likeliest) << window << " " << i;
    }
  }
  EXPECT_NE(greedy(3, 1000), greedy(1, 1000));
  EXPECT_EQ(greedy(1, 1), greedy(1, 1000));
}

TEST(Generator, AModelWithoutALongestWindowNeverReadsAgain) {
  FakeModel model(16, 4, 0, true);  // its positions repeat after 16
  model.init({4});
  const std::string bytes = with_prompt(model, "ab", 100, {.temperature = 0});
  std::vector<float> z(kByteValues);
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    model.logits(static_cast<std::uint8_t>(bytes[i - 1]), static_cast<Index>(i), z);
    ASSERT_EQ(static_cast<std::uint8_t>(bytes[i]), std::max_element(z.begin(), z.end()) - z.begin()) << i;
  }
}

TEST(Generator, SeedDecides) {
  const FakeModel model = made_model(16, 4);
  EXPECT_EQ(with_prompt(model, "x", 30, {.seed = 2}), with_prompt(model, "x", 30, {.seed = 2}));
  EXPECT_NE(with_prompt(model, "x", 30, {.seed = 2}), with_prompt(model, "x", 30, {.seed = 3}));
}

TEST(Generator, Errors) {
  const FakeModel model = made_model(16, 4);
  EXPECT_ERROR(Generator(model, {.temperature = -1}), "temperature");
  EXPECT_ERROR(Generator(model, {}, 0), "threads");
  EXPECT_ERROR(Generator(model, {}, 1, 0), "streams");
  EXPECT_ERROR(Generator(model, {}, 1, 1, -1), "first_stream");
}

}  // namespace
}  // namespace megalith

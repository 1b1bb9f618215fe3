// SPDX-License-Identifier: Apache-2.0
// A generator as a value: asked, copied, started again, with prompts and a hook of its streams' own.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "megalith/generate/continuations.h"
#include "support/generated.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

using namespace tests;

TEST(Generator, AskingForLogitsChangesNothing) {
  const FakeModel model = made_model(16, 4);
  const std::string expected = with_prompt(model, "start", 60);
  Generator generator(model, {}, 1);
  generator.prompt("start");
  std::string bytes = "start";
  std::vector<float> z(kByteValues);
  for (Index i = 5; i < 65; ++i) {
    const Index start = i < 16 ? 0 : (i - 16) / 8 * 8 + 8;
    model.logits(i > start ? static_cast<std::uint8_t>(bytes.back()) : kByteValues, i - start, z);
    for (int twice = 0; twice < 2; ++twice) {
      const auto logits = generator.logits();
      ASSERT_EQ(std::vector<float>(logits.begin(), logits.end()), z) << i;
    }
    const std::vector<NextByte> best = generator.likeliest(3);
    ASSERT_EQ(best[0].byte, std::max_element(z.begin(), z.end()) - z.begin());
    double sum = 0;
    for (const float each : z) sum += std::exp(static_cast<double>(each));
    ASSERT_NEAR(best[0].probability, std::exp(static_cast<double>(z[best[0].byte])) / sum, 1e-9);
    ASSERT_GE(best[1].probability, best[2].probability);
    if (i % 7 == 0) generator.prompt("");  // not even where nothing is prompted in between
    bytes += static_cast<char>(generator.next());
  }
  EXPECT_EQ(bytes, expected);
  EXPECT_ERROR(generator.likeliest(0), "count is 0");
  EXPECT_ERROR(generator.likeliest(257), "from 1 to 256");
  EXPECT_ERROR(generator.likeliest(1, 1), "stream is 1");
}

TEST(Generator, APromptAfterAskingIsRead) {
  const FakeModel model = made_model(16, 4);
  Generator asked(model, {}, 1);
  asked.prompt("ab");
  asked.logits();
  asked.prompt("cd");
  EXPECT_EQ("abcd" + generated(asked, 40), with_prompt(model, "abcd", 40));
}

TEST(Generator, CopiesGoOnByThemselves) {
  const FakeModel model = made_model(16, 4);
  Generator original(model, {.repetition_penalty = 2}, 1);
  original.prompt("a prompt of some length");
  generated(original, 7);
  original.logits();
  Generator copy = original, assigned(model, {}, 1);
  assigned.prompt("other");
  assigned = original;
  Generator moved = Generator(original);
  const std::string expected = generated(original, 40);
  EXPECT_EQ(generated(copy, 40), expected);
  EXPECT_EQ(generated(assigned, 40), expected);
  EXPECT_EQ(generated(moved, 40), expected);
  EXPECT_EQ(copy.position(), original.position());
}

TEST(Generator, ResetStartsAgain) {
  const FakeModel model = made_model(16, 4);
  Generator generator(model, {.repetition_penalty = 2}, 1, 2);
  generator.prompt_each(std::vector<std::string_view>{"one", "another"});
  for (int i = 0; i < 20; ++i) generator.next_of_each();
  generator.reset();
  EXPECT_EQ(generator.position(), 0);
  Generator fresh(model, {.repetition_penalty = 2}, 1, 2);
  for (int i = 0; i < 20; ++i) {
    const auto a = generator.next_of_each(), b = fresh.next_of_each();
    ASSERT_EQ(std::vector<int>(a.begin(), a.end()), std::vector<int>(b.begin(), b.end()));
  }
}

TEST(Generator, EachStreamItsOwnPrompt) {
  const std::vector<std::string_view> first{"a", "bcd", "efg", "", "a longer prompt than a window has"},
      second{"x", "y", "zz", "", "w"};
  for (const bool together : {true, false}) {
    const ObservedModel model(together);
    Generator generator(model, {}, 1, 5);
    std::vector<std::string> bytes(5), expected;
    const auto take = [&](int n) {
      for (int i = 0; i < n; ++i) {
        const auto next = generator.next_of_each();
        for (std::size_t s = 0; s < 5; ++s) bytes[s] += static_cast<char>(next[s]);
      }
    };
    take(3);
    generator.prompt_each(first);
    take(20);
    generator.prompt_each(second);
    take(20);
    for (Index s = 0; s < 5; ++s) {
      Generator alone(model, {}, 1, 1, s);
      const std::size_t i = static_cast<std::size_t>(s);
      std::string one = generated(alone, 3);
      alone.prompt(first[i]);
      one += generated(alone, 20);
      alone.prompt(second[i]);
      one += generated(alone, 20);
      EXPECT_EQ(bytes[i], one) << s;
      EXPECT_EQ(generator.position(s), alone.position());
    }
  }
  const FakeModel model = made_model(16, 4);
  Generator generator(model, {}, 1, 2);
  EXPECT_ERROR(generator.prompt_each(first), "5 prompts, and the generator has 2 streams");
}

TEST(Generator, TheHookDecidesWhatMayCome) {
  const FakeModel model = made_model(16, 4);
  Generator generator(model, {}, 1, 2, 3);
  generator.set_logit_hook([](Index stream, std::span<float> logits) {
    for (std::size_t v = 0; v < logits.size(); ++v)
      if (v != (stream == 3 ? 'x' : 'y')) logits[v] = -std::numeric_limits<float>::infinity();
  });
  for (int i = 0; i < 20; ++i) {
    const auto next = generator.next_of_each();
    ASSERT_EQ(next[0], 'x');
    ASSERT_EQ(next[1], 'y');
  }
  const std::vector<float> logits(generator.logits().begin(), generator.logits().end());
  generator.set_logit_hook([](Index, std::span<float> all) { std::fill(all.begin(), all.end(), -INFINITY); });
  EXPECT_ERROR(generator.next_of_each(), "the logit hook leaves no byte possible in stream 3");
  for (const float wrong : {INFINITY, NAN}) {
    generator.set_logit_hook([wrong](Index, std::span<float> all) { all[7] = wrong; });
    EXPECT_ERROR(generator.next_of_each(), "the logit hook makes a logit of stream 3 infinite or no number");
  }
  EXPECT_EQ(std::vector<float>(generator.logits().begin(), generator.logits().end()), logits);  // nothing changed
  EXPECT_EQ(generator.position(), 20);
}

TEST(Generator, RefusesMoreThanTheMachineHas) {
  const FakeModel model = made_model(16, 4);
  for (const int bits : {50, 60, 62}) EXPECT_ERROR(Generator(model, {}, 1, Index{1} << bits), "streams takes about");
  EXPECT_ERROR(Generator(model, {}, Team::kMaxThreads + 1), "must be for 1 to 4096");
}

TEST(Generator, LikeliestContinuations) {
  const FakeModel model = made_model(16, 4);
  Generator generator(model, {}, 1);
  generator.prompt("ab");
  // With all 256 beginnings kept, two bytes are searched through.
  const std::vector<Continuation> found = likeliest_continuations(generator, 2, 5, 256);
  std::vector<Continuation> all;
  for (const NextByte& one : generator.likeliest(256)) {
    Generator behind = generator;
    behind.prompt({&one.byte, 1});
    for (const NextByte& two : behind.likeliest(256))
      all.push_back(
          {{static_cast<char>(one.byte), static_cast<char>(two.byte)}, -std::log2(one.probability * two.probability)});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.bits < b.bits; });
  ASSERT_EQ(found.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(found[i].bytes, all[i].bytes);
    EXPECT_NEAR(found[i].bits, all[i].bits, 1e-9);
  }
  EXPECT_EQ(generator.position(), 2);
  EXPECT_EQ(likeliest_continuations(generator, 30, 3).size(), 3u);  // across windows
  EXPECT_ERROR(likeliest_continuations(generator, 0, 1), "length is 0");
  EXPECT_ERROR(likeliest_continuations(Generator(model, {}, 1, 2), 1, 1), "2 streams");
}

}  // namespace
}  // namespace megalith
